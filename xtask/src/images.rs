//! The container image of the servers.

use crate::command::{run, shell};
use crate::error::Error;

/// Makes it, unless it is there, and prints its name.
pub(crate) fn make() -> Result<(), Error> {
    run(shell(RECIPE, &[]).env("RECIPE", RECIPE)).map_err(|_| Error::failed("no image was made, for the reason above"))
}

/// The very text that the tests' servers use when the image is missing; its sum is the image's tag.
const RECIPE: &str = concat!(
    include_str!("../../integration-tests/src/servers/scripts/install.sh"),
    include_str!("../../integration-tests/src/servers/scripts/images.sh"),
);
