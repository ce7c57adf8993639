//! One way to call the sidecar, that all calls take: a time limit, a few tries, the token, and
//! errors that say what they are about.

use std::{error::Error as _, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::{Url, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Error, Fault, Settings, Token};

/// W3C trace context.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The largest answer, in bytes.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// How patient calls are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long a try may take.
    pub(super) timeout: Duration,
    /// How many tries a call has.
    pub(super) tries: u32,
    /// How long at most to wait before the second; twice as long before each further one.
    pub(super) wait: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            tries: 3,
            wait: Duration::from_millis(500),
        }
    }
}

/// Calls the sidecar, on connections that are kept.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<HeaderValue>,
    pub(super) pace: Pace,
}

/// A call: what it is about, and how it is made.
pub(super) struct Call<'a> {
    /// As errors name it.
    pub(super) name: &'static str,
    /// As errors name it.
    pub(super) component: &'a str,
    pub(super) method: Method,
    /// After `/v1.0`, not yet escaped.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        name: &'static str,
        component: &'a str,
        method: Method,
        path: &'a [&'a str],
    ) -> Self {
        Self {
            name,
            component,
            method,
            path,
            query: &[],
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// With a body of this type.
    pub(super) fn with_body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        let content_type = HeaderValue::from_static(content_type);
        self.headers.insert(header::CONTENT_TYPE, content_type);
        self.body = body;
        self
    }

    pub(super) fn fails(&self, fault: Fault) -> Error {
        Error {
            call: self.name,
            component: self.component.to_owned(),
            fault,
        }
    }

    /// Reads an answer.
    pub(super) fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Error> {
        serde_json::from_slice(&answer.body)
            .map_err(|error| self.fails(Fault::Unreadable(error.to_string())))
    }
}

/// What the sidecar said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Dapr's own words of what went wrong.
    fn fault(&self) -> Fault {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Words {
            error_code: String,
            message: String,
        }
        let words: Words = serde_json::from_slice(&self.body).unwrap_or_default();
        Fault::Answered {
            status: self.status.as_u16(),
            code: words.error_code,
            message: words.message,
        }
    }
}

impl Client {
    /// A client of the sidecar that is there.
    ///
    /// # Errors
    /// Where its address makes no URL, in words.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let host = &settings.host;
        let base = format!("http://{host}:{}/v1.0/", settings.port)
            .parse()
            .map_err(|error| format!("{host:?} is no host: {error}"))?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(|error| error.to_string())?;
        let token = settings.api_token.as_ref().map(Token::as_str);
        let token = token.and_then(|text| HeaderValue::from_str(text).ok());
        Ok(Self {
            http,
            base,
            token: token.map(|mut token| {
                token.set_sensitive(true);
                token
            }),
            pace: Pace::default(),
        })
    }

    /// Calls, more than once where that may help; the answer, if it is a success.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Answer, Error> {
        self.call_until(call, |answer| answer.status.is_success())
            .await
    }

    /// Calls, more than once where that may help, until the answer is one that `is_result`.
    pub(super) async fn call_until(
        &self,
        call: &Call<'_>,
        is_result: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Error> {
        let mut tried = 0;
        loop {
            let fault = match self.once(call).await {
                Ok(answer) if is_result(&answer) => return Ok(answer),
                Ok(answer) => answer.fault(),
                Err(fault) => fault,
            };
            tried += 1;
            if tried >= self.pace.tries || !fault.is_passing() {
                return Err(call.fails(fault));
            }
            tokio::time::sleep(self.back_off(tried)).await;
        }
    }

    /// Between half and all of a wait that doubles, by chance, so that many do not come back at once.
    fn back_off(&self, tried: u32) -> Duration {
        let full = self.pace.wait * (1 << (tried - 1).min(8));
        full.mul_f64(rand::random_range(0.5..=1.0))
    }

    async fn once(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .headers(call.headers.clone())
            .timeout(self.pace.timeout);
        if let Some(token) = &self.token {
            request = request.header(Token::HEADER, token);
        }
        if !call.body.is_empty() {
            request = request.body(call.body.clone());
        }
        let mut response = request.send().await.map_err(|e| self.broken(e))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.broken(e))? {
            if body.len() + chunk.len() > ANSWER_MAX {
                let words = format!("it is larger than {ANSWER_MAX} bytes");
                return Err(Fault::Unreadable(words));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    fn broken(&self, error: reqwest::Error) -> Fault {
        if error.is_timeout() {
            return Fault::Slow(self.pace.timeout);
        }
        // What the library says is only that it failed; why, the cause at the end of the chain says.
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            words = error.to_string();
            cause = error.source();
        }
        Fault::Unreachable(words)
    }
}
