// The article's live buttons. The one for the PDF has no code: it is dead on purpose.

const byId = (id) => document.getElementById(id);
let presses = 0;

byId("press").addEventListener("click", () => {
  presses += 1;
  byId("pressed").textContent = presses === 1 ? "Pressed once" : `Pressed ${presses} times`;
});

byId("subscribe").addEventListener("click", ({ currentTarget: button }) => {
  const isRead = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(isRead));
  byId("subscribed").textContent = isRead ? "Read. Thank you for your time." : "";
});
