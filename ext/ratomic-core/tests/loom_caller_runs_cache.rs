//! The cache of callers' answers under the model checker.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use ratomic_core::CallerRunsCache;

/// Two keys of one slot.
const KEY: usize = 8;
const RIVAL: usize = 512;

#[test]
fn whoever_takes_gets_the_limit_of_its_own_key() {
    loom::model(|| {
        let caller_runs_cache = Arc::new(CallerRunsCache::default());
        caller_runs_cache.grant(KEY, 1, 1, 2);
        let taker = {
            let caller_runs_cache = Arc::clone(&caller_runs_cache);
            thread::spawn(move || (caller_runs_cache.take(KEY), caller_runs_cache.take(RIVAL)))
        };
        caller_runs_cache.grant(RIVAL, 2, 2, 2);
        let (own, rival) = taker.join().unwrap();
        assert!(own.is_none_or(|limit| limit == 1), "own {own:?}");
        assert!(rival.is_none_or(|limit| limit == 2), "rival {rival:?}");
    });
}

#[test]
fn a_use_is_taken_once() {
    loom::model(|| {
        let caller_runs_cache = Arc::new(CallerRunsCache::default());
        caller_runs_cache.grant(KEY, 1, 1, 1);
        let taker = {
            let caller_runs_cache = Arc::clone(&caller_runs_cache);
            thread::spawn(move || caller_runs_cache.take(KEY))
        };
        let here = caller_runs_cache.take(KEY);
        assert!(here.is_some() ^ taker.join().unwrap().is_some());
    });
}

#[test]
fn of_two_granters_one_has_the_slot() {
    loom::model(|| {
        let caller_runs_cache = Arc::new(CallerRunsCache::default());
        let granter = {
            let caller_runs_cache = Arc::clone(&caller_runs_cache);
            thread::spawn(move || caller_runs_cache.grant(KEY, 1, 1, 1))
        };
        caller_runs_cache.grant(RIVAL, 2, 2, 1);
        granter.join().unwrap();
        let taken = (caller_runs_cache.take(KEY), caller_runs_cache.take(RIVAL));
        assert!(
            matches!(taken, (Some(1), None) | (None, Some(2))),
            "{taken:?}"
        );
    });
}

#[test]
fn what_a_collector_drops_gives_nobody_a_wrong_limit() {
    loom::model(|| {
        let caller_runs_cache = Arc::new(CallerRunsCache::default());
        caller_runs_cache.grant(KEY, 1, 1, 2);
        assert_eq!(caller_runs_cache.keep().collect::<Vec<_>>(), [KEY]);
        let collector = {
            let caller_runs_cache = Arc::clone(&caller_runs_cache);
            thread::spawn(move || caller_runs_cache.keep().count())
        };
        caller_runs_cache.grant(RIVAL, 2, 2, 2);
        let (own, rival) = (caller_runs_cache.take(KEY), caller_runs_cache.take(RIVAL));
        collector.join().unwrap();
        assert!(
            own.is_none() && rival.is_none_or(|limit| limit == 2),
            "{own:?} {rival:?}"
        );
    });
}
