/* Put a picture from the clipboard into the page's uploader, like a chosen file. */

export default function ({ parentElement }) {
  const button = parentElement.querySelector("button"), note = parentElement.querySelector("[role=status]");

  const give = (blobs) => {
    const pictures = blobs.filter(({ type }) => type.startsWith("image/"));
    const input = document.querySelector("[data-testid=stFileUploaderDropzoneInput]");
    note.textContent = pictures.length ? "" : "The clipboard holds no picture.";
    if (!pictures.length || !input) return;
    const transfer = new DataTransfer(), time = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
    pictures.forEach((blob, index) => {
      const suffix = blob.type.split("/")[1].split("+")[0];
      transfer.items.add(new File([blob], `pasted-${time}${index ? `-${index + 1}` : ""}.${suffix}`, { type: blob.type }));
    });
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const pasted = (event) => {
    const files = [...event.clipboardData.files];
    if (!files.some(({ type }) => type.startsWith("image/"))) return; // text is pasted into its field
    event.preventDefault();
    give(files);
  };
  document.addEventListener("paste", pasted);
  button.onclick = async () => {
    try {
      const items = await navigator.clipboard.read();
      const typed = items.map((item) => [item, item.types.find((type) => type.startsWith("image/"))]);
      give(await Promise.all(typed.filter(([, type]) => type).map(([item, type]) => item.getType(type))));
    } catch {
      note.textContent = "Your browser does not let a button read the clipboard. Press Ctrl+V or ⌘V.";
    }
  };
  return () => document.removeEventListener("paste", pasted);
}
