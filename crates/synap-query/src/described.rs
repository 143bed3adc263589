//! Whether a memory is what a description means: stricter than ranking, since what is meant is forgotten.

use std::collections::BTreeSet;
use synap_text::{terms, whole_terms};

/// Of five words of a description, a memory must have three.
const SHARE: (usize, usize) = (3, 5);

/// Whether `text` holds at least three fifths of the words of `description`, by their stems and without stop-words; an
/// identifier is one word. A description without any such word describes nothing.
pub fn is_described(description: &str, text: &str) -> bool {
    let wanted: BTreeSet<String> = whole_terms(description).into_iter().collect();
    let said: BTreeSet<String> = terms(text).into_iter().collect();
    let shared = wanted.intersection(&said).count();
    !wanted.is_empty() && shared * SHARE.1 >= wanted.len() * SHARE.0
}

#[cfg(test)]
mod tests {
    use super::is_described;

    #[test]
    fn a_description_means_what_has_most_of_its_words() {
        let bike = "User: My bike is a red Brompton.";
        assert!(is_described("bike", bike));
        assert!(is_described("the red bikes", bike));
        assert!(is_described("red bike and helmet", bike));
        assert!(!is_described("red helmet and gloves", bike));
        assert!(!is_described("the and of", bike));
    }

    #[test]
    fn an_identifier_means_itself_and_not_what_shares_its_parts() {
        let secret = "The prod_us_db_password is in the vault.";
        assert!(is_described("prod_us_db_password", secret));
        assert!(is_described("db password", secret));
        assert!(!is_described("prod_eu_db_password", secret));
        assert!(!is_described(
            "canary1xacmexalice",
            "My dog is canary0xacmexalice."
        ));
    }
}
