// The element <leadgen-contest>: a contest in a frame that is as high as its content, in the page or as a pop-up.
// A site includes /embed/<campaign>.js and writes
//   <leadgen-contest><a href="…">Enter the contest</a></leadgen-contest>  or
//   <leadgen-contest popup="time:10 scroll:60 exit click:#win"></leadgen-contest>
// It stores nothing, needs no cookie, loads nothing from anybody but the contest's own server, and tells the page around
// it with events: leadgen:ready, leadgen:entered, leadgen:closed.
(() => {
  const { base, slug, locale, words } = "SETTLED";
  const origin = new URL(base).origin;
  const styles = new CSSStyleSheet();
  styles.replaceSync(`
    :host { display: block; }
    :host([hidden]) { display: none; }
    iframe { display: block; width: 100%; height: 0; border: 0; color-scheme: normal; }
    dialog { box-sizing: border-box; width: min(34rem, calc(100vw - 1.5rem)); max-width: none;
      max-height: calc(100dvh - 1.5rem); padding: 0; border: 0; border-radius: 1rem; overflow: auto;
      color-scheme: light dark; background: Canvas; color: CanvasText; box-shadow: 0 1.5rem 4rem rgb(0 0 0 / .35); }
    dialog::backdrop { background: rgb(0 0 0 / .55); }
    button { position: sticky; top: 0; float: right; z-index: 1; width: 2.75rem; height: 2.75rem; margin: .25rem;
      border: 0; border-radius: 50%; background: Canvas; color: CanvasText; font: 1.5rem/1 system-ui; cursor: pointer; }
    button:focus-visible { outline: 3px solid Highlight; outline-offset: -3px; }
    @media (prefers-reduced-motion: no-preference) {
      dialog[open] { animation: rise .18s ease-out; }
      @keyframes rise { from { opacity: 0; transform: translateY(.75rem); } }
    }
    @media (forced-colors: active) { dialog { border: 1px solid CanvasText; } }
  `);

  class LeadgenContest extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [styles];
      this.language = this.lang || document.documentElement.lang.slice(0, 2);
      this.words = words[this.language] || words[locale];
      addEventListener("message", (event) => this.hear(event));
      if (this.hasAttribute("popup")) this.wait(root);
      else root.append(this.frame("lazy"), document.createElement("slot"));
    }

    // The address of the page in the frame: who asks, in which language, and through whose link.
    address() {
      const address = new URL(`${base}/c/${this.getAttribute("contest") || slug}/embed`);
      const code = this.getAttribute("code") || new URLSearchParams(location.search).get("leadgen") || "";
      address.searchParams.set("host", location.origin);
      if (words[this.language]) address.searchParams.set("lang", this.language);
      if (/^[A-Za-z0-9]{4,20}$/.test(code)) address.searchParams.set("code", code);
      return address.href;
    }

    frame(loading) {
      this.window = document.createElement("iframe");
      this.window.title = this.getAttribute("title") || this.words.title;
      this.window.loading = loading;
      this.window.src = this.address();
      return this.window;
    }

    // Only our own server, from our own frame, in the one shape that it speaks.
    hear(event) {
      const said = event.data;
      if (event.origin !== origin || event.source !== this.window?.contentWindow || said?.leadgen !== 1) return;
      if (said.type === "height" && Number.isFinite(said.height)) {
        this.window.style.height = `${Math.min(Math.max(said.height, 80), 6000)}px`;
        this.shadowRoot.querySelector("slot")?.remove(); // the link in the page was for whoever sees no frame
        this.tell("ready");
      } else if (said.type === "entered") this.tell("entered");
      else if (said.type === "close") this.dialog?.close();
    }

    tell(what) {
      if (what === "ready" && this.isReady) return;
      this.isReady ||= what === "ready";
      this.dispatchEvent(new CustomEvent(`leadgen:${what}`, { bubbles: true }));
    }

    // Opens once for each view of the page, at whichever comes first.
    wait(root) {
      root.append(document.createElement("slot"));
      for (const wish of this.getAttribute("popup").split(/\s+/).filter(Boolean)) {
        const [when, value] = [wish.split(":")[0], wish.slice(wish.indexOf(":") + 1)];
        if (when === "time") setTimeout(() => this.show(true), Math.max(0, Number(value) || 0) * 1000);
        if (when === "exit") document.documentElement.addEventListener("mouseleave", (event) => event.clientY <= 0 && this.show(true));
        if (when === "scroll") {
          const look = () => {
            const rest = document.documentElement.scrollHeight - innerHeight;
            if (rest <= 0 || (scrollY / rest) * 100 >= (Number(value) || 50)) {
              removeEventListener("scroll", look);
              this.show(true);
            }
          };
          addEventListener("scroll", look, { passive: true });
        }
        if (when === "click") document.addEventListener("click", (event) => {
          if (event.target.closest?.(value)) { event.preventDefault(); this.show(false); }
        });
      }
    }

    // `byItself`: a trigger, which never opens it a second time; a click on the site's own button always does.
    show(byItself) {
      if (byItself && this.wasShown) return;
      this.wasShown = true;
      if (!this.dialog) {
        const close = document.createElement("button");
        close.textContent = "×";
        close.ariaLabel = this.words.close;
        close.addEventListener("click", () => this.dialog.close());
        this.dialog = document.createElement("dialog");
        this.dialog.ariaLabel = this.getAttribute("title") || this.words.title;
        this.dialog.append(close, this.frame("eager"));
        this.dialog.addEventListener("close", () => this.tell("closed"));
        this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
        this.shadowRoot.append(this.dialog);
      }
      if (!this.dialog.open) this.dialog.showModal();
    }
  }

  if (!customElements.get("leadgen-contest")) customElements.define("leadgen-contest", LeadgenContest);
})();
