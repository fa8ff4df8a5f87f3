"""Plotly figures: what pages and reports show as charts."""
