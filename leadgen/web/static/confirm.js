// Loaded only in the browser that sent the form: presses the button once, which stays for everybody else.
const form = document.querySelector("[data-submit-once]");

if (form && !sessionStorage.getItem(location.pathname)) {
  sessionStorage.setItem(location.pathname, "1");
  form.requestSubmit();
}
