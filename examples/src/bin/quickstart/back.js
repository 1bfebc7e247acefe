// The back button may bring a page back as it was left, without asking the server, and browsers do so also for pages that no
// cache may keep. By then the session may be over. So a page that is left shows nothing, until it has been loaded anew.
addEventListener('pagehide', () => { document.documentElement.hidden = true; });
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
