//! Names of methods, which the VM looks up in a table that all Ractors share. So each is looked up once.

use rb_sys::ID;
use std::ffi::CStr;
use std::sync::OnceLock;

pub struct Names<const COUNT: usize> {
    names: [&'static CStr; COUNT],
    ids: OnceLock<[ID; COUNT]>,
}

impl<const COUNT: usize> Names<COUNT> {
    pub const fn new(names: [&'static CStr; COUNT]) -> Self {
        Names {
            names,
            ids: OnceLock::new(),
        }
    }

    pub fn ids(&self) -> &[ID; COUNT] {
        if let Some(ids) = self.ids.get() {
            return ids;
        }
        // SAFETY: strings with a NUL at their ends. What is made is the VM's for good.
        let ids = self
            .names
            .map(|name| unsafe { rb_sys::rb_intern(name.as_ptr()) });
        self.ids.get_or_init(|| ids) // not in there: the look-up may wait for a collection
    }
}
