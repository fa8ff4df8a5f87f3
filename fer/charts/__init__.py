"""Plotly charts for pages and reports."""
