//! The receiver of a native method. Ruby calls a method only with a receiver of its class, so all that is left to check
//! is that the object was made by this extension's allocator; magnus's own conversion asks the VM in a protected call,
//! which costs more than most of these methods do.

use magnus::{typed_data::Obj, Error, IntoValue, Ruby, TryConvert, TypedData, Value};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;

use super::RawValue;

pub struct Receiver<T: TypedData>(Value, PhantomData<Obj<T>>);

impl<T: TypedData> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: TypedData> Copy for Receiver<T> {}

impl<T: TypedData> Receiver<T> {
    pub fn word(self) -> RawValue {
        RawValue::of(self.0)
    }

    pub fn value(self) -> Value {
        self.0
    }
}

impl<T: TypedData> TryConvert for Receiver<T> {
    fn try_convert(value: Value) -> Result<Self, Error> {
        let object = RawValue::of(value).0;
        let ours: *const rb_sys::rb_data_type_t = ptr::from_ref(T::data_type()).cast();
        // SAFETY: a living object; reads its header, and its type only after it is known to have one. An address that
        // is not the type's own merely leads to magnus's check.
        let known =
            unsafe { rb_sys::RTYPEDDATA_P(object) && rb_sys::RTYPEDDATA_TYPE(object) == ours };
        if !known {
            Obj::<T>::try_convert(value)?;
        }
        Ok(Receiver(value, PhantomData))
    }
}

impl<T: TypedData> Deref for Receiver<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `try_convert` made sure that the object wraps a `T`, and the object lives as long as the method runs:
        // it is the receiver.
        unsafe { &*rb_sys::RTYPEDDATA_GET_DATA(self.word().0).cast::<T>() }
    }
}

impl<T: TypedData> IntoValue for Receiver<T> {
    fn into_value_with(self, _ruby: &Ruby) -> Value {
        self.0
    }
}
