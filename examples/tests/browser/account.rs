//! What a visitor does, with one browser and with two.

use crate::Site;

const STRANGER: &str = "Hello, stranger!";
const END_THE_OTHER: &str = "#sessions li:not(:has(.mark)) button";

#[tokio::test]
async fn a_visitor_is_counted_fills_a_cart_and_signs_in() {
    let Some(site) = Site::start().await else { return };
    let browser = site.browser().await;
    browser.see_heading(STRANGER).await;
    browser.see_text("visits", "1").await;
    browser.reload().await;
    browser.see_text("visits", "2").await;

    for count in ["1", "2"] {
        browser.click("[aria-label='One Honey more']").await;
        browser.see_in_cart("Honey", count).await;
    }
    browser.click("[aria-label='One Coffee more']").await;
    browser.see_in_cart("Coffee", "1").await;
    browser.click("[aria-label='One Coffee less']").await;
    browser.see_in_cart("Coffee", "0").await;
    browser.see_text("total", "10.80 €").await;

    browser.sign_in("Ada", false).await;
    browser.see_in_cart("Honey", "2").await;
    browser.see_text("visits", "7").await;
    assert_eq!(browser.count("#sessions li").await, 1);
    assert!(browser.text("#sessions li").await.starts_with("Chrome on Linux this one"));
}

#[tokio::test]
async fn asvs_7_5_2_one_browser_ends_the_session_of_another() {
    let Some(site) = Site::start().await else { return };
    let (here, there) = (site.signed_in("Ada").await, site.signed_in("Ada").await);
    for browser in [&here, &there] {
        browser.reload().await;
        browser.see("#sessions li:nth-child(2)").await;
        assert_eq!(browser.count("#sessions li").await, 2, "the list shows both");
        assert_eq!(browser.count("#sessions .mark").await, 1, "and which is this one");
    }

    here.click(END_THE_OTHER).await;
    here.see_notice("1 session ended.").await;
    assert_eq!(here.count("#sessions li").await, 1);
    there.reload().await;
    there.see_heading(STRANGER).await;
    here.reload().await;
    here.see_text("visitor", "Ada").await;
}

#[tokio::test]
async fn asvs_7_4_3_signing_out_everywhere_else_leaves_this_browser_signed_in() {
    let Some(site) = Site::start().await else { return };
    let (here, there, somebody) = (site.signed_in("Ada").await, site.browser().await, site.signed_in("Grace").await);
    there.sign_in("Ada", true).await;

    here.click("#sign-out-elsewhere").await;
    here.see_notice("1 session ended.").await;
    here.see_text("visitor", "Ada").await;
    there.reload().await;
    there.see_heading(STRANGER).await;
    somebody.reload().await;
    somebody.see_text("visitor", "Grace").await;

    here.click("#sign-out-elsewhere").await;
    here.see_notice("There was no other session to end.").await;
}

/// A form on another site that posts to this one. The browser keeps the cookie back, and the application refuses.
#[tokio::test]
async fn another_site_changes_nothing() {
    let Some(site) = Site::start().await else { return };
    let browser = site.signed_in("Ada").await;
    let form = format!(
        "<form method=post action={}/cart/add><input name=product value=Honey><button>Win a prize</button></form>",
        site.address
    );
    browser.go(&format!("data:text/html,{form}")).await;
    browser.click("button").await;
    browser.see_heading("Refused").await;

    browser.go(&site.address).await;
    browser.see_text("visitor", "Ada").await;
    browser.see_in_cart("Honey", "0").await;
}
