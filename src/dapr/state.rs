//! State that may be lost.

use std::{collections::HashMap, time::Duration};

use http::{HeaderValue, Method, StatusCode, header};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::json;

use super::{
    Client, Error, Fault,
    client::{Answer, Call},
};

/// Values that a sidecar reads at once, of those that it is asked for together.
const PARALLEL: usize = 10;

/// A value, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<T> {
    /// The value.
    pub value: T,
    /// Changes whenever the value does.
    pub etag: String,
}

impl Client {
    /// Reads a value, if there is one.
    ///
    /// # Errors
    /// Where the store cannot be asked, or holds something else.
    pub async fn state<T: DeserializeOwned>(
        &self,
        store: &str,
        key: &str,
    ) -> Result<Option<Item<T>>, Error> {
        let path = ["state", store, key];
        let call = Call::new("state get", store, Method::GET, &path);
        let answer = self.call(&call).await?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let etag = answer.headers.get(header::ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        Ok(Some(Item {
            value: call.read(&answer)?,
            etag: etag.to_owned(),
        }))
    }

    /// Reads many values, in the order of their keys.
    ///
    /// # Errors
    /// Where the store cannot be asked for all of them, or holds something else.
    pub async fn states<T: DeserializeOwned>(
        &self,
        store: &str,
        keys: &[String],
    ) -> Result<Vec<Option<Item<T>>>, Error> {
        #[derive(Deserialize)]
        struct Found<T> {
            key: String,
            data: Option<T>,
            #[serde(default)]
            etag: String,
            #[serde(default)]
            error: String,
        }
        let path = ["state", store, "bulk"];
        let call = Call::new("state get", store, Method::POST, &path);
        let body = json!({ "keys": keys, "parallelism": PARALLEL });
        let call = call.with_body("application/json", body.to_string().into_bytes());
        let found: Vec<Found<T>> = call.read(&self.call(&call).await?)?;
        let mut items = HashMap::with_capacity(found.len());
        for Found {
            key,
            data,
            etag,
            error,
        } in found
        {
            if !error.is_empty() {
                return Err(call.fails(Fault::Unreadable(error)));
            }
            items.insert(key, data.map(|value| Item { value, etag }));
        }
        Ok(keys.iter().map(|key| items.remove(key).flatten()).collect())
    }

    /// Writes a value over the one that was read with `etag`, or where there was none; the first to
    /// write wins. False: another was first, or, after a try without an answer, we were ourselves.
    /// It is kept for `ttl`, to the second.
    ///
    /// # Errors
    /// Where the store does not take it.
    pub async fn save_state<T: Serialize>(
        &self,
        store: &str,
        key: &str,
        value: &T,
        etag: Option<&str>,
        ttl: Option<Duration>,
    ) -> Result<bool, Error> {
        let path = ["state", store];
        let call = Call::new("state save", store, Method::POST, &path);
        let mut item = json!({
            "key": key,
            "value": value,
            "options": { "concurrency": "first-write" },
        });
        if let Some(etag) = etag {
            item["etag"] = json!(etag);
        }
        if let Some(ttl) = ttl {
            item["metadata"] = json!({ "ttlInSeconds": ttl.as_secs().max(1).to_string() });
        }
        let body = serde_json::to_vec(&[item])
            .map_err(|error| call.fails(Fault::Unreadable(error.to_string())))?;
        let call = call.with_body("application/json", body);
        if etag.is_none() {
            // Some stores (Redis) only say that they failed where there is a value already.
            let failed = |answer: &Answer| answer.status == StatusCode::INTERNAL_SERVER_ERROR;
            let is_result = |a: &Answer| is_told(a) || failed(a);
            let answer = self.call_until(&call, is_result).await?;
            if !failed(&answer) {
                return Ok(answer.status.is_success());
            }
            if self.state::<IgnoredAny>(store, key).await?.is_some() {
                return Ok(false);
            }
        }
        self.change(&call).await
    }

    /// Removes a value, if it is still the one that was read with `etag`. False: it is not.
    ///
    /// # Errors
    /// Where the store does not do so.
    pub async fn delete_state(&self, store: &str, key: &str, etag: &str) -> Result<bool, Error> {
        let path = ["state", store, key];
        let mut call = Call::new("state delete", store, Method::DELETE, &path);
        call.query = &[("concurrency", "first-write")];
        if let Ok(etag) = HeaderValue::from_str(etag) {
            call.headers.insert(header::IF_MATCH, etag);
        }
        self.change(&call).await
    }

    async fn change(&self, call: &Call<'_>) -> Result<bool, Error> {
        let answer = self.call_until(call, is_told).await?;
        Ok(answer.status.is_success())
    }
}

/// Whether the answer says that it was done, or that another was first.
fn is_told(answer: &Answer) -> bool {
    answer.status.is_success() || answer.status == StatusCode::CONFLICT
}
