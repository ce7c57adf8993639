//! An SMTP server: keeps what it gets, refuses, drops, and is slow, as it is told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// How it behaves to whom it is told to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes everything.
    Kind,
    /// Refuses the recipient for good.
    Refuses,
    /// Is too busy, for now.
    Busy,
    /// Does not know the sender: no fault of the mail.
    Strict,
    /// Talks to nobody.
    Closed,
    /// Refuses the sender's address.
    Doubts,
    /// Refuses the sender's address, and does not say that it is that.
    Grumbles,
    /// Hangs up once it has the message, before it says so.
    Drops,
    /// Takes its time with each answer.
    Slow,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) to: String,
    pub(crate) message: String,
}

/// The server.
pub(crate) struct SmtpServer {
    pub(crate) url: String,
    mood: Arc<Mutex<Mood>>,
    got: Arc<Mutex<Vec<Got>>>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    pub(crate) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (mood, got) = (Arc::new(Mutex::new(mood)), Arc::default());
        let (moods, kept): (_, Arc<Mutex<Vec<Got>>>) = (mood.clone(), Arc::clone(&got));
        let task = tokio::spawn(async move {
            let mut talks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mood = *moods.lock().unwrap();
                talks.spawn(talk(stream, mood, kept.clone()));
            }
        });
        Self {
            url,
            mood,
            got,
            task,
        }
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One conversation; it ends where the client goes.
async fn talk(stream: TcpStream, mood: Mood, got: Arc<Mutex<Vec<Got>>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut to = String::new();
    let mut answer = match mood {
        Mood::Closed => "554 5.3.2 not now\r\n",
        _ => "220 mail.test\r\n",
    };
    loop {
        if mood == Mood::Slow {
            sleep(Duration::from_millis(300)).await;
        }
        if write.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else {
            return;
        };
        let verb = line.to_ascii_uppercase();
        answer = if verb.starts_with("EHLO") {
            "250-mail.test\r\n250 8BITMIME\r\n"
        } else if verb.starts_with("MAIL") && mood == Mood::Strict {
            "530 5.7.0 sign in first\r\n"
        } else if verb.starts_with("MAIL") && mood == Mood::Doubts {
            "550 5.1.8 who is that\r\n"
        } else if verb.starts_with("MAIL") && mood == Mood::Grumbles {
            "550 not from here\r\n"
        } else if verb.starts_with("RCPT") {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match mood {
                Mood::Refuses => "550 5.1.1 no such mailbox\r\n",
                Mood::Busy => "450 4.2.1 try again later\r\n",
                _ => "250 ok\r\n",
            }
        } else if verb.starts_with("DATA") {
            if write.write_all(b"354 go on\r\n").await.is_err() {
                return;
            }
            let mut message = String::new();
            loop {
                match lines.next_line().await {
                    Ok(Some(line)) if line == "." => break,
                    Ok(Some(line)) => message += &format!("{line}\n"),
                    _ => return,
                }
            }
            let to = to.clone();
            got.lock().unwrap().push(Got { to, message });
            if mood == Mood::Drops {
                return;
            }
            "250 kept\r\n"
        } else if verb.starts_with("QUIT") {
            let _ = write.write_all(b"221 bye\r\n").await;
            return;
        } else {
            "250 ok\r\n"
        };
    }
}
