// Inside the frame: tells the page around it how high it is, that somebody entered, and that Escape was pressed.
const { host, entered } = document.body.dataset;
const tell = (message) => parent !== window && parent.postMessage({ leadgen: 1, ...message }, host);
const measure = () => tell({ type: "height", height: Math.ceil(document.body.getBoundingClientRect().height) });

new ResizeObserver(measure).observe(document.body);
measure();
if (entered !== undefined) tell({ type: "entered" });
addEventListener("keydown", (event) => event.key === "Escape" && tell({ type: "close" }));
