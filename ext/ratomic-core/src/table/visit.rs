//! What those need of a table who are no callers of it: a collector, a heap dump, a fork.

use super::shard::Share;
use super::sizes::LAST;
#[cfg(not(loom))]
use super::{levels::CachePadded, pair::Pair, shard::Shard, Table};
#[cfg(not(loom))]
use crate::fork_rw_lock::ForkRwLock;

/// What one object shows a collector. All below the last level, the shards of the last level, and their cards that have a
/// token, are all there is.
#[derive(Clone, Copy)]
pub enum Part {
    BelowLastLevel,
    /// So many shards from the first on, but for their cards that have a token.
    Shards {
        first: usize,
        count: usize,
    },
    /// Nothing, once another token or none is the card's: the object that was named by it may be there until a collector
    /// finds it.
    Card {
        shard: usize,
        card: usize,
        token: usize,
    },
}

impl Part {
    fn shards(self) -> impl Iterator<Item = (usize, usize)> {
        let (levels, shards) = match self {
            Part::BelowLastLevel => (0..LAST, 0..usize::MAX),
            Part::Shards { first, count } => (LAST..LAST + 1, first..first + count),
            Part::Card { shard, .. } => (LAST..LAST + 1, shard..shard + 1),
        };
        levels.flat_map(move |level| {
            let end = shards.end.min(super::sizes::count(level));
            (shards.start..end).map(move |shard| (level, shard))
        })
    }

    /// What of each of these shards.
    fn share(self) -> Share {
        match self {
            Part::BelowLastLevel => Share::All,
            Part::Shards { .. } => Share::Uncarded,
            Part::Card { card, token, .. } => Share::Card { card, token },
        }
    }
}

/// What a collector does with what a table holds.
pub trait Visitor<K, V> {
    fn pair(&mut self, key: &K, value: &V);
    /// The key and the owner of a claim, which may outlive the owner's stack. [`Table::visit_mut`] does not reach them.
    fn claim(&mut self, key: &K, owner: usize);
}

#[cfg(not(loom))]
impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Visits all that a part holds, without locks, for a collector that has stopped all threads.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::peek`].
    pub unsafe fn visit(&self, part: Part, visitor: &mut impl Visitor<K, V>) {
        for (level, shard) in part.shards() {
            if let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) {
                // SAFETY: the caller's promise.
                visit_shard(unsafe { shard.peek() }, part.share(), visitor);
            }
        }
    }

    /// As `visit`, with the lock of each shard, for a collector beside which other threads go on. The visitor must not
    /// wait for anything that may wait for such a lock.
    pub fn visit_locked(&self, part: Part, visitor: &mut impl Visitor<K, V>) {
        for (level, shard) in part.shards() {
            if let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) {
                visit_shard(&shard.read(), part.share(), visitor);
            }
        }
    }

    /// Visits every key and value of a part for a collector that moves objects.
    ///
    /// # Safety
    /// As for [`crate::fork_rw_lock::ForkRwLock::held_mut`].
    pub unsafe fn visit_mut(&self, part: Part, mut pair: impl FnMut(&mut K, &mut V)) {
        let share = part.share();
        for (level, shard) in part.shards() {
            let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) else {
                continue;
            };
            // SAFETY: the caller's promise.
            let shard = unsafe { shard.held_mut() };
            shard.each_of(share, &mut pair);
        }
    }

    /// Copies pairs of a part, a few at a time under the lock of their shard, and shows them with no lock held. What
    /// changes meanwhile is seen or not.
    pub fn show(&self, part: Part, buffer: &mut [(K, V)], mut show: impl FnMut(&[(K, V)])) {
        for (level, shard) in part.shards() {
            let mut skip = 0;
            while let Some(CachePadded(shard)) = self.levels.shards(level).get(shard) {
                let shard = shard.read();
                let pairs = shard.pairs_of(part.share()).skip(skip);
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
        for CachePadded(shard) in self.levels.shards(LAST) {
            // SAFETY: the caller's promise.
            visit_tokens_of(unsafe { shard.peek() }, &mut visit);
        }
    }

    /// As `visit_tokens`, with the lock of each shard; see `visit_locked`.
    pub fn visit_tokens_locked(&self, mut visit: impl FnMut(usize)) {
        for CachePadded(shard) in self.levels.shards(LAST) {
            visit_tokens_of(&shard.read(), &mut visit);
        }
    }

    /// Copies the tokens of the cards of a shard, from a card on, for who may wait for its lock: 0 where a card has none.
    /// Returns how many there are, 0 at the end.
    pub fn tokens(&self, shard: usize, from: usize, tokens: &mut [usize]) -> usize {
        let Some(shard) = self.last(shard) else {
            return 0;
        };
        let shard = shard.read();
        let copy = |(token, card): (&mut usize, usize)| *token = shard.token(card);
        tokens.iter_mut().zip(from..shard.cards()).map(copy).count()
    }

    fn last(&self, shard: usize) -> Option<&ForkRwLock<Shard<K, V>>> {
        let shards = self.levels.shards(LAST);
        shards.get(shard).map(|CachePadded(shard)| shard)
    }

    /// The shards, of the last level, whose pairs have come to other cards, or that have a new card that nobody shows, or
    /// much empty memory. To be called after [`Table::take_due`], and followed, for all of them, by `settle` before the
    /// next safepoint, and then by `untended_cards`.
    pub fn take_needing(&self) -> Vec<usize> {
        self.totals.take_needing()
    }

    /// Whether a shard of the last level is one of them, for who has changed that shard and only settles it. If it is not
    /// any more, whoever has taken it settles it before the next safepoint.
    #[inline]
    pub fn is_needing(&self, shard: usize) -> bool {
        self.totals.is_due() && self.is_at_last_level() && self.totals.is_needing(shard)
    }

    /// The cards of a shard that should have a token.
    pub fn untended_cards(&self, shard: usize) -> Vec<usize> {
        self.last(shard)
            .map_or_else(Vec::new, |shard| shard.read().untended_cards())
    }

    /// Names who shows a card from now on. Returns all that it shows then, to be told to a collector; nothing if somebody
    /// has been named before, or there is no such card any more.
    pub fn set_token(&self, shard: usize, card: usize, token: usize) -> Option<Vec<(K, V)>> {
        let mut shard = self.last(shard)?.write();
        shard.set_token(card, token, &self.totals).then(|| {
            let share = Share::Card { card, token };
            let pairs = shard.pairs_of(share);
            let pairs = pairs.map(|pair| (pair.key, pair.value));
            pairs.chain(shard.asides_of(share).copied()).collect()
        })
    }

    /// Gives memory of a shard back that deletes have left empty. Returns all its pairs if some have come to other cards,
    /// by that or because it grew, each with the token of who shows it now, to be told to a collector before the next
    /// safepoint. Among them are those that were put aside since they moved: a writer may have removed them from the shard
    /// before this was called.
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
                let share = Share::Card { card, token };
                let pairs = shard.pairs_of(share).map(|pair| (pair.key, pair.value));
                let pairs = pairs.chain(shard.asides_of(share).copied());
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
    share: Share,
    visitor: &mut impl Visitor<K, V>,
) {
    shard
        .pairs_of(share)
        .for_each(|pair| visitor.pair(&pair.key, &pair.value));
    shard
        .asides_of(share)
        .for_each(|(key, value)| visitor.pair(key, value));
    if !matches!(share, Share::Card { .. }) {
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
