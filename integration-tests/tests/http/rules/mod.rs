//! The rules, one file a number, and what is promised across them.

pub(crate) mod cookies;
pub(crate) mod extractors;
pub(crate) mod h01;
pub(crate) mod h02;
pub(crate) mod h03;
pub(crate) mod h04;
pub(crate) mod h05;
pub(crate) mod h06;
pub(crate) mod h07;
pub(crate) mod h08;
pub(crate) mod h09;
pub(crate) mod h10;
pub(crate) mod h11;
pub(crate) mod h12;
pub(crate) mod h13;
pub(crate) mod h14;
pub(crate) mod over;
pub(crate) mod overlap;
pub(crate) mod plain;
pub(crate) mod renewal;

/// Hands every test to a macro, by file.
macro_rules! every_rule {
    ($macro:ident: $($argument:tt)*) => {
        $macro! {
            $($argument)*;
            cookies: cookies_by_default_end_with_the_browser,
                cookies_a_session_may_be_persistent,
                cookies_may_be_persistent_by_configuration,
                cookies_of_a_session_that_ends_within_the_second_are_no_removal;
            extractors: extractors_say_what_to_do_where_the_layer_is_missing,
                extractors_find_only_their_own_layer,
                extractors_a_session_is_committed_without_the_extensions,
                extractors_an_optional_session_is_one_that_the_store_holds,
                extractors_a_reader_reads,
                extractors_work_in_any_router;
            h01: h01_a_session_nobody_asks_for_costs_nothing,
                h01_it_is_loaded_once_however_often_it_is_asked_for,
                h01_a_slot_is_loaded_when_the_handler_decides_so;
            h02: h02_store_round_trips_per_request,
                h02_a_write_that_meets_a_concurrent_writer_costs_one_more_call,
                h02_what_comes_to_nothing_is_not_written;
            h03: h03_the_head_waits_for_the_commit,
                h03_a_commit_that_fails_replaces_the_response,
                h03_a_store_that_swallows_every_write_is_unavailable,
                h03_a_write_whose_answer_is_lost_is_settled_and_made_once,
                h03_a_commit_that_meets_writers_until_its_deadline_is_contended,
                h03_the_hook_makes_the_answer,
                h03_the_hooks_answer_keeps_the_rules,
                h03_an_error_that_the_handler_returns_commits_nothing,
                h03_a_rejection_taken_as_a_value_is_the_handlers,
                h03_a_store_that_hangs_holds_up_nobody_else,
                h03_an_answer_that_comes_late_is_the_answer;
            h04: h04_a_handle_is_sealed_by_its_commit_whatever_that_comes_to,
                h04_reading_goes_on_after_the_commit,
                h04_a_task_that_writes_after_the_response_gets_an_error,
                h04_a_slot_that_nobody_loaded_is_sealed_too,
                h04_a_load_that_comes_late_does_not_open_a_sealed_session;
            h05: h05_a_malformed_token_is_no_session_and_no_store_call,
                h05_an_unknown_token_is_not_adopted,
                h05_an_expired_token_is_like_an_unknown_one,
                h05_the_right_id_with_a_wrong_secret_opens_nothing,
                h05_a_corrupt_record_is_an_event_and_no_session,
                h05_a_flipped_bit_anywhere_is_noticed,
                h05_a_record_of_a_newer_format_is_left_alone,
                h05_visits_without_a_write_store_nothing;
            h06: h06_destroying_the_session_removes_its_cookie,
                h06_the_removal_has_every_attribute_of_the_original,
                h06_a_second_logout_sends_no_removal,
                h06_there_is_nothing_to_remove_for_who_had_no_session,
                h06_a_session_that_follows_a_destroyed_one_is_new;
            h07: h07_our_cookie_is_found_among_others,
                h07_http2_may_split_the_field,
                h07_names_that_only_look_like_ours_are_not,
                h07_a_value_is_not_decoded,
                h07_two_values_of_our_name_are_no_session,
                h07_a_field_as_long_as_the_server_takes_is_read;
            h08: h08_no_store_with_our_cookie_and_vary_when_read,
                h08_the_handlers_own_caching_headers,
                h08_the_token_is_only_in_the_cookie;
            h09: h09_a_client_that_leaves_before_the_answer_has_changed_nothing,
                h09_a_client_that_leaves_during_the_load_has_changed_nothing,
                h09_a_commit_is_finished_though_the_client_leaves,
                h09_a_commit_without_its_client_loses_nothing_either,
                h09_a_rotation_whose_client_leaves_is_whole,
                h09_a_client_that_leaves_after_the_commit_has_changed_everything,
                h09_a_timeout_around_the_layer_does_not_cut_a_commit,
                h09_a_failure_without_a_client_is_an_event,
                h09_drain_then_stop_loses_nothing;
            h10: h10_the_status_does_not_decide,
                h10_commit_when_decides_by_status_and_headers,
                h10_a_panic_commits_nothing,
                h10_a_panic_that_is_caught_around_the_layer_commits_nothing,
                h10_a_closure_that_panics_in_the_commit_leaves_nothing_behind;
            h11: h11_an_outage_is_not_an_empty_session,
                h11_a_full_store_refuses_newcomers_and_serves_the_rest,
                h11_a_touch_that_fails_fails_nothing,
                h11_touching_on_every_request_notices_no_outage,
                h11_what_is_answered_during_a_flapping_outage_is_true;
            h12: h12_a_handler_cannot_set_the_sessions_cookie,
                h12_a_nameless_cookie_cannot_pose_as_ours;
            h13: h13_two_layers_keep_two_sessions,
                h13_a_failure_is_answered_by_the_layer_whose_session_failed,
                h13_a_failure_of_one_layer_does_not_lose_the_others_token,
                h13_an_error_of_a_marked_session_reaches_its_hook,
                h13_one_cookie_name_for_two_layers_is_an_error_on_the_first_request,
                h13_one_marker_for_two_layers_is_an_error_on_the_first_request,
                h13_the_same_layer_around_a_nested_router_is_an_error_where_it_is_twice;
            h14: h14_an_event_stream_begins_after_the_commit,
                h14_an_upgrade_goes_through,
                h14_everything_else_is_as_without_the_layer;
            over: over_a_slow_request_does_not_undo_a_logout,
                over_a_slow_request_does_not_undo_a_revocation,
                over_a_slow_request_does_not_undo_a_login,
                over_a_slow_request_does_not_undo_an_expiry,
                over_a_slow_request_that_only_read_is_answered,
                over_a_slow_logout_wins,
                over_the_absolute_timeout_holds_for_a_session_that_is_always_renewed;
            overlap: overlap_64_requests_keep_64_keys_and_count_to_64,
                overlap_a_store_that_overwrites_is_noticed,
                overlap_of_two_decisions_on_one_key_one_stands,
                overlap_first_requests_make_a_session_each;
            plain: plain_tower_on_hyper_keeps_sessions;
            renewal: renewal_comes_when_little_lifetime_is_left,
                renewal_is_off_unless_asked_for,
                renewal_rides_on_a_write_and_gives_way_to_what_the_handler_does,
                renewal_makes_one_token_for_overlapping_requests,
                renewal_leaves_the_old_token_its_grace,
                renewal_a_slow_request_outlives_the_grace_of_its_token,
                renewal_that_fails_fails_nothing,
                renewal_whose_answer_is_lost_is_found,
                renewal_on_every_request,
                renewal_whose_client_leaves_can_be_used_in_its_grace;
        }
    };
}

/// A module of tests: every rule on the store that a function opens.
macro_rules! http_rules {
    ($store:ident, $open:path) => {
        mod $store {
            every_rule!(rule_tests: $open);
        }
    };
}

macro_rules! rule_tests {
    ($open:path; $($file:ident: $($rule:ident),+;)+) => {
        $($(
            #[test]
            fn $rule() {
                crate::http::run($open, crate::http::rules::$file::$rule);
            }
        )+)+
    };
}

/// The names of the tests.
macro_rules! rule_names {
    (; $($file:ident: $($rule:ident),+;)+) => {
        &[$($(stringify!($rule)),+),+]
    };
}
