//! Every test of the suite, once, by name.

use std::fmt;
use std::pin::Pin;

use crate::guarantees;
use crate::harness::Harness;
use crate::trial::Trial;

/// The one list of tests: hands all names, by module, to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_test {
    ([$($callback:tt)*] [$($arguments:tt)*]) => {
        $($callback)*! {
            [$($arguments)*]
            g01:
                g01_create_then_load
                g01_update_then_load
                g01_any_owner
                g01_keep_leaves_the_expiry_alone
                g01_keep_does_not_start_the_time_anew
                g01_after_moves_the_expiry_both_ways
                g01_after_lets_a_session_live_longer
                g01_every_process_reads_the_last_write;
            g02:
                g02_unknown_is_none
                g02_deleted_is_none
                g02_nothing_to_delete_list_or_purge;
            g03:
                g03_expired_is_absent_to_load
                g03_expired_is_absent_to_create
                g03_expired_is_absent_to_update
                g03_expired_is_absent_to_touch
                g03_expired_is_absent_to_delete
                g03_expired_is_absent_to_owned_by
                g03_a_ttl_is_rounded_up_to_milliseconds
                g03_a_zero_ttl_is_a_millisecond
                g03_the_longest_ttl_is_a_century
                g03_live_until_the_last_millisecond;
            g04:
                g04_create_never_overwrites
                g04_racing_creates_have_one_winner
                g04_create_replaces_an_expired_session
                g04_racing_creates_over_an_expired_session_have_one_winner;
            g05:
                g05_update_is_compare_and_swap
                g05_racing_updates_have_one_winner
                g05_no_increment_is_lost;
            g06:
                g06_a_conflict_writes_nothing
                g06_a_conflict_moves_no_expiry
                g06_a_conflict_returns_what_is_there;
            g07:
                g07_every_version_is_returned_as_given
                g07_every_version_is_compared_as_given
                g07_versions_have_no_order;
            g08:
                g08_update_of_an_unknown_session_writes_nothing
                g08_update_after_delete_writes_nothing
                g08_touch_of_an_unknown_session_writes_nothing
                g08_touch_after_delete_writes_nothing
                g08_an_update_that_races_a_delete_does_not_resurrect
                g08_a_touch_that_races_a_delete_does_not_resurrect;
            g09:
                g09_delete_counts_live_sessions_once
                g09_delete_is_idempotent
                g09_delete_takes_ten_thousand_ids
                g09_deleted_is_none_in_every_process
                g09_racing_deletes_count_a_session_once;
            g10:
                g10_touch_moves_time_only
                g10_touch_moves_the_expiry_both_ways
                g10_touch_lets_a_session_live_longer
                g10_touch_lets_a_session_end_earlier
                g10_touch_needs_the_expected_version
                g10_a_touch_that_races_an_update_never_moves_the_newer_write;
            g11:
                g11_a_dropped_create_is_all_or_nothing
                g11_a_dropped_update_is_all_or_nothing
                g11_a_dropped_touch_is_all_or_nothing
                g11_a_dropped_delete_is_all_or_nothing
                g11_dropped_reads_leave_the_store_usable
                g11_readers_see_whole_writes;
            g12:
                g12_an_empty_record
                g12_every_byte_value
                g12_every_size_up_to_the_limit
                g12_a_create_over_the_limit_writes_nothing
                g12_an_update_over_the_limit_leaves_the_old_record;
            g13:
                g13_namespaces_do_not_see_each_other
                g13_writes_stay_in_their_namespace
                g13_a_purge_stays_in_its_namespace
                g13_hostile_names_are_refused_or_kept_apart;
            g14:
                g14_a_clone_reads_and_writes_the_same_sessions
                g14_a_clone_outlives_the_store_it_was_made_of;
            g15:
                g15_the_live_sessions_of_an_owner
                g15_update_sets_changes_and_clears_the_owner
                g15_without_reindex_the_index_still_holds
                g15_delete_and_expiry_leave_the_index
                g15_any_deadline
                g15_owners_that_look_alike
                g15_a_thousand_sessions_of_one_owner
                g15_any_sequence_of_operations
                g15_racing_owners;
            g16:
                g16_purge_deletes_expired_entries_and_counts_them
                g16_purge_keeps_to_its_limit
                g16_purge_spares_the_live
                g16_racing_purges_count_an_entry_once;
            g17:
                g17_no_live_session_is_evicted
                g17_a_full_store_refuses_and_keeps_what_it_has
                g17_a_full_store_still_writes_and_deletes
                g17_expired_sessions_take_no_room
                g17_racing_creates_stay_within_the_bound;
            g18:
                g18_stop_is_idempotent
                g18_stop_ends_background_work
                g18_a_stopped_store_is_unavailable
                g18_calls_that_race_stop_end
                g18_clones_stop_and_other_processes_do_not
                g18_stop_keeps_the_sessions;
            g19:
                g19_debug_is_silent
                g19_errors_are_silent
                g19_events_are_silent;
        }
    };
}

/// One test of the suite.
pub struct Test {
    name: &'static str,
    run: for<'a> fn(&'a Trial) -> Running<'a>,
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Every test, in the order of the guarantees.
///
/// ```
/// let tests = sessions_conformance::tests();
/// assert!(tests.iter().any(|test| test.name() == "g05_no_increment_is_lost" && test.guarantee() == 5));
/// ```
#[must_use]
pub fn tests() -> Vec<Test> {
    macro_rules! table {
        ([] $($module:ident: $($name:ident)*;)*) => {
            vec![$($(Test {
                name: stringify!($name),
                run: |trial| Box::pin(guarantees::$module::$name(trial)),
            },)*)*]
        };
    }
    __each_test! { [table] [] }
}

impl Test {
    /// The name, which begins with the number of the guarantee.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of the guarantee.
    #[must_use]
    pub fn guarantee(&self) -> u8 {
        self.name.get(1..3).and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// Runs the test in a namespace of its own, within a tokio runtime of several threads. The seed decides ids, versions and
    /// sequences.
    ///
    /// # Panics
    ///
    /// When the store breaks the guarantee.
    pub async fn run(&self, harness: impl Harness, seed: u64) {
        (self.run)(&Trial::new(harness, seed)).await;
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Test").field(&self.name).finish()
    }
}
