// An SMTP server of others (nodemailer's) that keeps what it gets, with TLS and sign-in. Its input is a line of
// JSON that says how it is, and lasts as long as it does: { port, tls, key, cert, user, password }, where tls is
// "required" (STARTTLS first), "implicit" or "none". Its output is its port, and a line of JSON for each
// sign-in that was tried and each mail that came.
import { createInterface } from 'node:readline';
import { SMTPServer } from 'smtp-server';

const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);
const input = createInterface({ input: process.stdin });
input.on('close', () => process.exit());
const [line] = await new Promise(resolve => input.once('line', (...line) => resolve(line)));
const { port, tls, key, cert, user, password } = JSON.parse(line);

const server = new SMTPServer({
  secure: tls === 'implicit',
  // Without TLS it is for who signs in all the same, if they dare.
  disabledCommands: tls === 'required' ? [] : ['STARTTLS'],
  key,
  cert,
  disableReverseLookup: true,
  onAuth({ username, password: given }, { secure }, done) {
    const accepted = username === user && given === password;
    say({ what: 'sign-in', user: username, secure, accepted });
    done(accepted ? null : Object.assign(new Error('who is that'), { responseCode: 535 }), { user: username });
  },
  async onData(stream, { envelope, secure, user: signedIn }, done) {
    const chunks = await stream.toArray();
    const [from, to] = [envelope.mailFrom.address, envelope.rcptTo.map(({ address }) => address)];
    say({ what: 'mail', from, to, secure, user: signedIn, message: Buffer.concat(chunks).toString() });
    done();
  },
});
// Who does not trust it hangs up: no fault of its own.
server.on('error', () => {});
server.listen(port, '127.0.0.1', () => say(server.server.address().port));
