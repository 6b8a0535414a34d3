//! The operations that are not for callers of a table, but for the collector, for a heap dump and for a fork.

use super::shard::Selection;
use super::sizes::LAST_LEVEL;
#[cfg(not(loom))]
use super::{levels::CachePadded, pair::Pair, shard::Shard, Table};
#[cfg(not(loom))]
use crate::fork_rw_lock::ForkRwLock;

/// The pairs that one object shows to the collector. Each pair of a table is in exactly one of these parts.
#[derive(Clone, Copy)]
pub enum Part {
    /// All shards below the last level.
    BelowLastLevel,
    /// `count` neighbouring shards of the last level, without their cards that have a token.
    Shards { first: usize, count: usize },
    /// One card of a shard of the last level. It is empty if the card has another token now, or none: the object of an old
    /// token exists until it is collected.
    Card {
        shard: usize,
        card: usize,
        token: usize,
    },
}

impl Part {
    fn shards(self) -> impl Iterator<Item = (usize, usize)> {
        let (levels, shards) = match self {
            Part::BelowLastLevel => (0..LAST_LEVEL, 0..usize::MAX),
            Part::Shards { first, count } => (LAST_LEVEL..LAST_LEVEL + 1, first..first + count),
            Part::Card { shard, .. } => (LAST_LEVEL..LAST_LEVEL + 1, shard..shard + 1),
        };
        levels.flat_map(move |level| {
            let end = shards.end.min(super::sizes::count(level));
            (shards.start..end).map(move |shard| (level, shard))
        })
    }

    /// Which pairs of each of its shards.
    fn selection(self) -> Selection {
        match self {
            Part::BelowLastLevel => Selection::All,
            Part::Shards { .. } => Selection::Uncarded,
            Part::Card { card, token, .. } => Selection::Card { card, token },
        }
    }
}

/// What a collector does with the contents of a table.
pub trait Visitor<K, V> {
    fn pair(&mut self, key: &K, value: &V);
    /// The key and the owner of a claim, which may outlive the owner's stack. [`Table::visit_mut`] does not reach them.
    fn claim(&mut self, key: &K, owner: usize);
}

#[cfg(not(loom))]
impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Visits all pairs of a part, and the claims of its shards, without locks, for a collector that has stopped all
    /// threads.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::peek`].
    pub unsafe fn visit(&self, part: Part, visitor: &mut impl Visitor<K, V>) {
        for (level, shard) in part.shards() {
            if let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) {
                // SAFETY: the caller's promise.
                visit_shard(unsafe { shard.peek() }, part.selection(), visitor);
            }
        }
    }

    /// As `visit`, with the lock of each shard, for a collector beside which other threads go on. The visitor must not
    /// wait for anything that may wait for such a lock.
    pub fn visit_locked(&self, part: Part, visitor: &mut impl Visitor<K, V>) {
        for (level, shard) in part.shards() {
            if let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) {
                visit_shard(&shard.read(), part.selection(), visitor);
            }
        }
    }

    /// Visits every key and value of a part for a collector that moves objects.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::held_mut`].
    pub unsafe fn visit_mut(&self, part: Part, mut pair: impl FnMut(&mut K, &mut V)) {
        let selection = part.selection();
        for (level, shard) in part.shards() {
            let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) else {
                continue;
            };
            // SAFETY: the caller's promise.
            let shard = unsafe { shard.held_mut() };
            shard.each_of(selection, &mut pair);
        }
    }

    /// Copies pairs of a part, a few at a time, under the lock of their shard, and calls `show` with them with no lock
    /// held. A pair that changes meanwhile may be missed or shown twice.
    pub fn show(&self, part: Part, buffer: &mut [(K, V)], mut show: impl FnMut(&[(K, V)])) {
        for (level, shard) in part.shards() {
            let mut skip = 0;
            while let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) {
                let shard = shard.read();
                let pairs = shard.pairs_of(part.selection()).skip(skip);
                let copy =
                    |(place, pair): (&mut (K, V), &Pair<K, V>)| *place = (pair.key, pair.value);
                let count = buffer.iter_mut().zip(pairs).map(copy).count();
                drop(shard);
                if count == 0 {
                    break;
                }
                show(&buffer[..count]);
                skip += count;
            }
        }
    }

    /// Visits the tokens of all cards, without locks, for a collector that has stopped all threads.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::peek`].
    pub unsafe fn visit_tokens(&self, mut visit: impl FnMut(usize)) {
        for CachePadded(shard) in self.levels.shards(LAST_LEVEL) {
            // SAFETY: the caller's promise.
            visit_tokens_of(unsafe { shard.peek() }, &mut visit);
        }
    }

    /// As `visit_tokens`, with the lock of each shard; see `visit_locked`.
    pub fn visit_tokens_locked(&self, mut visit: impl FnMut(usize)) {
        for CachePadded(shard) in self.levels.shards(LAST_LEVEL) {
            visit_tokens_of(&shard.read(), &mut visit);
        }
    }

    /// Copies the tokens of the cards of a shard, beginning with card `from`; 0 stands for a card without one. Waits for
    /// the shard's lock. Returns how many it copied, 0 at the end.
    pub fn tokens(&self, shard: usize, from: usize, tokens: &mut [usize]) -> usize {
        let Some(shard) = self.last(shard) else {
            return 0;
        };
        let shard = shard.read();
        let copy = |(token, card): (&mut usize, usize)| *token = shard.token(card);
        tokens.iter_mut().zip(from..shard.cards()).map(copy).count()
    }

    fn last(&self, shard: usize) -> Option<&ForkRwLock<Shard<K, V>>> {
        let shards = self.levels.shards(LAST_LEVEL);
        shards.get(shard).map(|CachePadded(shard)| shard)
    }

    /// The shards of the last level that need `settle`: pairs have moved to other cards, or there is a new card without a
    /// token, or much memory is empty. To be called after [`Table::take_due`] has returned true. The caller then calls
    /// `settle` for all of them before its next safepoint, and `cards_without_token` afterwards.
    pub fn take_needing(&self) -> Vec<usize> {
        self.totals.take_needing()
    }

    /// Whether a shard of the last level needs `settle`. For a thread that has changed only that shard. If the answer is no
    /// because another thread has taken the shard ([`Table::take_needing`]), that thread settles it before its next
    /// safepoint.
    #[inline]
    pub fn is_needing(&self, shard: usize) -> bool {
        self.totals.is_due() && self.is_at_last_level() && self.totals.is_needing(shard)
    }

    /// The cards of a shard that should have a token and have none.
    pub fn cards_without_token(&self, shard: usize) -> Vec<usize> {
        self.last(shard)
            .map_or_else(Vec::new, |shard| shard.read().cards_without_token())
    }

    /// Gives a card its token. Returns the pairs that the object of this token shows from now on, of which the caller tells
    /// the collector. Returns `None`, and changes nothing, if the card has a token or does not exist any more.
    pub fn set_token(&self, shard: usize, card: usize, token: usize) -> Option<Vec<(K, V)>> {
        let mut shard = self.last(shard)?.write();
        shard.set_token(card, token, &self.totals).then(|| {
            let selection = Selection::Card { card, token };
            let pairs = shard.pairs_of(selection);
            let pairs = pairs.map(|pair| (pair.key, pair.value));
            pairs.chain(shard.asides_of(selection).copied()).collect()
        })
    }

    /// Frees memory of a shard that is empty after deletes. If pairs have moved to other cards, by this or because the
    /// shard grew, it returns all pairs, each with the token of its card. The caller tells the collector of them before its
    /// next safepoint. Copies that were put aside are among them, because a writer may have put a moved pair aside and
    /// removed it before this call.
    pub fn settle(&self, shard: usize) -> Vec<(usize, K, V)> {
        let Some(guarded) = self.last(shard) else {
            return Vec::new();
        };
        let mut shard = guarded.write();
        shard.compact(&self.totals);
        if !shard.take_moved() {
            return Vec::new();
        }
        (0..shard.shown_cards())
            .flat_map(|card| {
                let token = shard.token(card);
                let selection = Selection::Card { card, token };
                let pairs = shard.pairs_of(selection).map(|pair| (pair.key, pair.value));
                let pairs = pairs.chain(shard.asides_of(selection).copied());
                pairs.map(move |(key, value)| (token, key, value))
            })
            .collect()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        std::mem::size_of_val(self) + self.levels.memory() + self.totals.bytes()
    }
}

#[cfg(not(loom))]
fn visit_shard<K: Copy + PartialEq, V: Copy>(
    shard: &Shard<K, V>,
    selection: Selection,
    visitor: &mut impl Visitor<K, V>,
) {
    shard
        .pairs_of(selection)
        .for_each(|pair| visitor.pair(&pair.key, &pair.value));
    shard
        .asides_of(selection)
        .for_each(|(key, value)| visitor.pair(key, value));
    if !matches!(selection, Selection::Card { .. }) {
        let claims = shard.claims().iter();
        claims.for_each(|claim| visitor.claim(&claim.key, claim.owner));
    }
}

#[cfg(not(loom))]
fn visit_tokens_of<K: Copy + PartialEq, V: Copy>(
    shard: &Shard<K, V>,
    visit: &mut impl FnMut(usize),
) {
    let tokens = (0..shard.cards()).map(|card| shard.token(card));
    tokens.filter(|token| *token != 0).for_each(visit);
}

#[cfg(not(loom))]
impl<K, V> crate::fork::Forkable for Table<K, V>
where
    K: Copy + PartialEq + Send + Sync,
    V: Copy + Send + Sync,
{
    unsafe fn hold(&self, held: &mut crate::fork::Held) {
        // SAFETY: the caller keeps `self` alive until it drops `held`. With `growing` held the level stays.
        unsafe {
            held.push(self.growing.hold());
            let shards = self.levels.shards(self.levels.current());
            held.extend(shards.iter().map(|CachePadded(shard)| shard.hold()));
            held.push(self.moments.hold());
        }
    }

    unsafe fn reset(&self, survivor: usize) {
        // SAFETY: the caller holds the locks and is the only thread of this process.
        let kept = unsafe { self.moments.forget(survivor) };
        for CachePadded(shard) in self.levels.shards(self.levels.current()) {
            // SAFETY: as above.
            let shard = unsafe { shard.held_mut() };
            shard.forget_all_but(&kept, &self.totals);
            // A claim of a thread that is gone would never be released.
            drop(shard.take_claims(|claim| claim.owner != survivor));
            let claims = shard.claims_mut().into_iter().flatten();
            claims.for_each(|claim| claim.waiters.clear());
        }
    }
}
