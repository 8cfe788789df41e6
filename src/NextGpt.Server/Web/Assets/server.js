// Talking to our own server: calls with the token, events of an answer, markup that the server has sanitised.

const token = document.querySelector('meta[name="token"]')?.content ?? '';

// The only place where markup becomes nodes; the content policy allows this one policy name and no other.
const markup = globalThis.trustedTypes?.createPolicy('nextgpt', { createHTML: (html) => html })
  ?? { createHTML: (html) => html };

/** Nodes of markup that came from our own server. */
export function nodes(html) {
  const template = document.createElement('template');
  template.innerHTML = markup.createHTML(html);
  return template.content;
}

/** A refusal with a sentence for the person. */
export class Refusal extends Error {
  constructor(error, status) {
    super(error.message);
    this.code = error.code;
    this.status = status;
  }
}

/** Calls the server; throws a Refusal with a sentence if it says no or cannot be reached. */
export async function call(method, path, body) {
  const headers = { 'x-token': token };
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) {
    headers['content-type'] = 'application/json';
  }
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined || isForm ? body : JSON.stringify(body) });
  } catch {
    throw new Refusal({ code: 'unreachable', message: 'The server cannot be reached; see whether it runs, then try again.' }, 0);
  }
  if (response.status === 401) {
    location.assign(`/login?back=${encodeURIComponent(location.pathname)}`);
    throw new Refusal({ code: 'unauthorized', message: 'Your session has ended; sign in again.' }, 401);
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new Refusal(answer.error ?? { code: 'internal', message: `The server answered ${response.status}; try again.` },
      response.status);
  }
  return response;
}

/** The events of a response as { id, name, data }, until it ends. */
export async function* events(response, onBytes) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    onBytes();
    rest += value;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const event = {};
      for (const line of rest.slice(0, end).split('\n')) {
        const colon = line.indexOf(': ');
        if (colon > 0) {
          event[line.slice(0, colon)] = line.slice(colon + 2);
        }
      }
      rest = rest.slice(end + 2);
      if (event.event) {
        yield { id: Number(event.id), name: event.event, data: JSON.parse(event.data) };
      }
    }
  }
}
