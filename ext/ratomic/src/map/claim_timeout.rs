//! How long a write waits for another thread's claim.

use super::expiring::Lifetime;
use crate::ffi::{args, error, gvl::Gvl};
use magnus::{Error, Value};
use ratomic_core::{Deadline, Park, Parker};
use std::sync::Arc;

/// The `timeout:` of a write.
pub struct ClaimTimeout {
    deadline: Deadline,
    seconds: Option<Value>,
    /// The key to be written; `None` if it is the whole map.
    key: Option<Value>,
}

impl ClaimTimeout {
    /// Splits `timeout:` off the arguments of a write. The first argument is the key. If there are no keywords
    /// ([`args::may_have_keywords`]), use [`Gvl`] instead, which costs nothing to make.
    pub fn of(args: &[Value], from: usize, to: usize) -> Result<(&[Value], ClaimTimeout), Error> {
        let (rest, seconds) = args::with_seconds(args)?;
        args::count(rest, from, to)?;
        let timeout = ClaimTimeout::new(seconds, rest.first().copied())?;
        Ok((rest, timeout))
    }

    /// As `of`, for a write that also takes `expires_in:`.
    #[inline]
    pub fn with_lifetime(
        args: &[Value],
        from: usize,
        to: usize,
    ) -> Result<(&[Value], ClaimTimeout, Lifetime), Error> {
        if !args::may_have_keywords(args) {
            args::count(args, from, to)?;
            let timeout = ClaimTimeout::new(None, args.first().copied())?;
            return Ok((args, timeout, Lifetime::default()));
        }
        let (rest, [seconds, lifetime]) = args::with_keywords(args, ["timeout", "expires_in"])?;
        args::count(rest, from, to)?;
        let timeout = ClaimTimeout::new(seconds, rest.first().copied())?;
        Ok((rest, timeout, Lifetime::new(lifetime)?))
    }

    pub fn new(seconds: Option<Value>, key: Option<Value>) -> Result<ClaimTimeout, Error> {
        Ok(ClaimTimeout {
            deadline: args::deadline(seconds)?,
            seconds,
            key,
        })
    }

    /// The same deadline for another key.
    pub fn with_key(&self, key: Value) -> ClaimTimeout {
        ClaimTimeout {
            key: Some(key),
            ..*self
        }
    }

    fn expired(&self) -> Result<Error, Error> {
        let seconds = self
            .seconds
            .map_or_else(|| Ok(String::new()), error::inspect)?;
        let of = match self.key {
            Some(key) => format!("the value of {}", error::inspect(key)?),
            None => "a value of the map".to_string(),
        };
        Ok(error::timeout(format!(
            "another thread's block is still computing {of} after {seconds} s (timeout: {seconds}); nothing was changed"
        )))
    }
}

impl Park for ClaimTimeout {
    type Error = Error;

    fn park(&self, parker: &Arc<Parker>, deadline: Deadline) -> Result<(), Error> {
        Gvl.park(parker, self.deadline.sooner(deadline))
    }

    fn check(&self) -> Result<(), Error> {
        Gvl.check()?;
        if self.deadline.passed() {
            return Err(self.expired().unwrap_or_else(|instead| instead));
        }
        Ok(())
    }

    fn is_alive(&self, thread: usize) -> Result<bool, Error> {
        Gvl.is_alive(thread)
    }
}
