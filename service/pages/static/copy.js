// A button beside each command, that copies it.

for (const block of document.querySelectorAll("main pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    button.textContent = (await copy(block)) ? "Copied" : "Select and copy";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  const around = document.createElement("div");
  around.className = "copied";
  block.replaceWith(around);
  around.append(block, button);
}

async function copy(block) {
  try {
    await navigator.clipboard.writeText(block.textContent.trim());
    return true;
  } catch { // not allowed, or not over https: the text is selected instead
    getSelection().selectAllChildren(block);
    return false;
  }
}
