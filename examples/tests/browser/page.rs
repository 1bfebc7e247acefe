//! How the page looks, as far as a test can tell.

use serde_json::Value;

use crate::Site;

/// Text that is hard to read: contrast below 4.5 (WCAG 1.4.3), elements that reach out of the window.
const FLAWS: &str = include_str!("flaws.js");

#[tokio::test]
async fn it_fits_and_can_be_read_in_every_width_and_scheme() {
    let Some(site) = Site::start().await else { return };
    let browser = site.browser().await;
    let stranger = looks(&browser).await;
    // The longest name, of the widest letters.
    browser.sign_in(&"W".repeat(40), false).await;
    browser.click("#sign-out-elsewhere").await;
    browser.see("[role='status']").await;
    let visitor = looks(&browser).await;
    assert_eq!((stranger, visitor), (Vec::new(), Vec::new()));
    assert_eq!(browser.complaints().await, Vec::<Value>::new(), "the browser has nothing to complain about");
}

/// The negative control: what does not fit or cannot be read is found, and complaints are heard.
#[tokio::test]
async fn a_page_with_flaws_is_seen_to_have_them() {
    let Some(site) = Site::start().await else { return };
    let browser = site.browser().await;
    browser.show(320, "light").await;
    assert_eq!(browser.script(FLAWS).await, Value::Array(Vec::new()));
    browser.script("document.querySelector('h2').style.color = '#ccc'").await;
    browser.script("document.querySelector('h1').style.width = '500px'").await;
    let flaws = browser.script(FLAWS).await;
    assert_eq!(flaws.as_array().map(Vec::len), Some(2), "{flaws}");
    browser.script("document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.example/' }))").await;
    assert_eq!(browser.hear_complaints().await.len(), 1);
}

async fn looks(browser: &crate::profile::Browser) -> Vec<String> {
    let mut found = Vec::new();
    for scheme in ["light", "dark"] {
        for width in [320, 480, 1280] {
            browser.show(width, scheme).await;
            let Value::Array(flaws) = browser.script(FLAWS).await else { panic!("a list") };
            found.extend(flaws.into_iter().map(|flaw| format!("{width} {scheme}: {flaw}")));
        }
    }
    found
}
