//! The contract of a store, held by every implementation: each test is generic over [`TestStore`].

mod kit;
mod mutations;

use self::kit::{Sqlite, TestStore};

/// Runs each test of the contract on each store.
macro_rules! contract {
    ($($module:ident: $($test:ident)*;)*) => {
        mod sqlite {
            use super::{Sqlite, TestStore};
            $(mod $module {
                use super::{Sqlite, TestStore};
                $(#[tokio::test]
                async fn $test() {
                    super::super::$module::$test(Sqlite::new().await).await;
                })*
            })*
        }
    };
}

contract! {
    mutations:
        creates_and_reads
        ;
}
