//! The permits under the model checker.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use ratomic_core::Permits;

/// Two keys of one slot.
const KEY: usize = 8;
const RIVAL: usize = 512;

#[test]
fn whoever_takes_gets_the_limit_of_its_own_key() {
    loom::model(|| {
        let permits = Arc::new(Permits::default());
        permits.grant(KEY, 1, 1, 2);
        let taker = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || (permits.take(KEY), permits.take(RIVAL)))
        };
        permits.grant(RIVAL, 2, 2, 2);
        let (own, rival) = taker.join().unwrap();
        assert!(own.is_none_or(|limit| limit == 1), "own {own:?}");
        assert!(rival.is_none_or(|limit| limit == 2), "rival {rival:?}");
    });
}

#[test]
fn a_use_is_taken_once() {
    loom::model(|| {
        let permits = Arc::new(Permits::default());
        permits.grant(KEY, 1, 1, 1);
        let taker = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || permits.take(KEY))
        };
        let here = permits.take(KEY);
        assert!(here.is_some() ^ taker.join().unwrap().is_some());
    });
}

#[test]
fn of_two_granters_one_has_the_slot() {
    loom::model(|| {
        let permits = Arc::new(Permits::default());
        let granter = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || permits.grant(KEY, 1, 1, 1))
        };
        permits.grant(RIVAL, 2, 2, 1);
        granter.join().unwrap();
        let taken = (permits.take(KEY), permits.take(RIVAL));
        assert!(
            matches!(taken, (Some(1), None) | (None, Some(2))),
            "{taken:?}"
        );
    });
}

#[test]
fn what_a_collector_drops_gives_nobody_a_wrong_limit() {
    loom::model(|| {
        let permits = Arc::new(Permits::default());
        permits.grant(KEY, 1, 1, 2);
        assert_eq!(permits.keep().collect::<Vec<_>>(), [KEY]);
        let collector = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || permits.keep().count())
        };
        permits.grant(RIVAL, 2, 2, 2);
        let (own, rival) = (permits.take(KEY), permits.take(RIVAL));
        collector.join().unwrap();
        assert!(
            own.is_none() && rival.is_none_or(|limit| limit == 2),
            "{own:?} {rival:?}"
        );
    });
}
