// Files to send: chosen, dropped or pasted; looked at before they are sent, so that nobody uploads in vain.
import { $, alertBar, composer, question, say } from './page.js';

const list = $('#attached');
const picker = $('#files');
const room = $('.room');
const most = Number(composer.dataset.most);
const megabytes = Number(composer.dataset.megabytes);
const reads = (composer.dataset.reads ?? '').split(' ').filter(Boolean);
let files = [];

const names = {
  'image/png': 'PNG', 'image/jpeg': 'JPEG', 'image/webp': 'WebP', 'image/gif': 'GIF', 'audio/wav': 'WAV', 'audio/mpeg': 'MP3',
  'audio/ogg': 'OGG', 'audio/flac': 'FLAC', 'audio/mp4': 'M4A', 'video/mp4': 'MP4', 'video/webm': 'WebM',
};
const aliases = {
  'image/jpg': 'image/jpeg', 'audio/x-wav': 'audio/wav', 'audio/wave': 'audio/wav', 'audio/vnd.wave': 'audio/wav',
  'audio/mp3': 'audio/mpeg', 'audio/x-m4a': 'audio/mp4', 'audio/m4a': 'audio/mp4', 'audio/x-flac': 'audio/flac',
  'application/ogg': 'audio/ogg', 'video/ogg': 'audio/ogg', 'video/x-m4v': 'video/mp4', 'audio/webm': 'video/webm',
  'video/quicktime': 'video/mp4', 'image/pjpeg': 'image/jpeg', 'image/apng': 'image/png', 'image/x-png': 'image/png',
  'application/mp4': 'video/mp4', 'audio/opus': 'audio/ogg', 'audio/vorbis': 'audio/ogg', 'audio/x-mp3': 'audio/mpeg',
};
const nouns = { image: 'image', audio: 'sound', video: 'clip' };
const boxes = ['video/mp4', 'audio/mp4', 'video/webm', 'audio/ogg'];   // may hold sound or pictures

const kindOf = (type) => type.split('/')[0];

/** How a file contradicts what it says it is, by the rule of DeclaredType on the server; null if it does not. */
function contradictionOf(name, claim, type, bytes) {
  if (!claim || claim === 'application/octet-stream') {
    return null;
  }
  const kind = kindOf(claim);
  const holds = type === null ? !names[claim]
    : kindOf(type) === kind || (boxes.includes(type) && (kind === 'audio' || kind === 'video'));
  return holds ? null
    : `${name} says ${names[claim] ?? claim} but its bytes are ${names[type] ?? seen(bytes)}; send the real ${nouns[kind] ?? 'file'}.`;
}

/** The type of a file by its first bytes, or null. */
export function sniff(bytes) {
  const has = (text, at = 0) => [...text].every((letter, index) => bytes[at + index] === letter.charCodeAt(0));
  if (has('\x89PNG')) return 'image/png';
  if (has('\xff\xd8\xff')) return 'image/jpeg';
  if (has('GIF8')) return 'image/gif';
  if (has('RIFF') && has('WEBP', 8)) return 'image/webp';
  if (has('RIFF') && has('WAVE', 8)) return 'audio/wav';
  if (has('OggS')) return 'audio/ogg';
  if (has('fLaC')) return 'audio/flac';
  if (has('ID3') || (bytes[0] === 0xff && (bytes[1] & 0xe6) === 0xe2)) return 'audio/mpeg';
  if (has('ftyp', 4)) return has('M4A', 8) || has('M4B', 8) ? 'audio/mp4' : 'video/mp4';
  if (has('\x1a\x45\xdf\xa3')) return 'video/webm';
  return null;
}

function seen(bytes) {
  const has = (text) => [...text].every((letter, index) => bytes[index] === letter.charCodeAt(0));
  return has('PK') ? 'a ZIP file' : has('%PDF') ? 'a PDF file' : has('II*') || has('MM\0*') ? 'image/tiff'
    : has('MZ') || has('\x7fELF') ? 'a program' : has('<') ? 'markup (HTML, SVG or XML)' : 'a file of an unknown kind';
}

/** Why a file is not sent, as a sentence; null if it may be. */
async function problemOf(file) {
  if (file.size === 0) {
    return `${file.name} is empty; upload it again.`;
  }
  if (file.size > megabytes * 1048576) {
    return `${file.name} has ${(file.size / 1048576).toFixed(1)} MiB, the limit is ${megabytes}; send a smaller one.`;
  }
  const bytes = new Uint8Array(await file.slice(0, 64).arrayBuffer());
  const type = sniff(bytes);
  const claim = aliases[file.type] ?? file.type;
  const contradiction = contradictionOf(file.name, claim, type, bytes);
  if (contradiction) {
    return contradiction;
  }
  if (type === null) {
    return `${claim || seen(bytes)} is not supported; send ${composer.dataset.send}.`;
  }
  const moves = reads.includes('video') && (type === 'image/gif' || type === 'image/webp');
  return reads.includes(kindOf(type)) || moves ? null : `${type} is not supported; send ${composer.dataset.send}.`;
}

/** Adds files to the next question, or says why not. */
export async function attach(chosen) {
  if (!picker) {
    alertBar('Files are not supported; send text: the model that speaks here reads nothing else.');
    return;
  }
  alertBar(null);
  if (files.length + chosen.length > most) {
    alertBar(`${files.length + chosen.length} files came, ${most} are allowed; send the others in a second message.`);
    return;
  }
  const refused = [];
  for (const file of chosen) {
    const problem = await problemOf(file);
    if (problem) {
      refused.push(problem);
    } else {
      files.push(file);
    }
  }
  render();
  if (refused.length > 0) {
    alertBar(refused.join(' '));
  } else {
    say(`${chosen.length === 1 ? chosen[0].name : `${chosen.length} files`} attached.`);
  }
  question.focus();
}

function render() {
  list.querySelectorAll('img').forEach((image) => URL.revokeObjectURL(image.src));
  list.replaceChildren(...files.map((file, index) => {
    const item = document.createElement('li');
    if (file.type.startsWith('image/')) {
      const image = document.createElement('img');
      image.alt = '';
      image.src = URL.createObjectURL(file);
      item.append(image);
    } else {
      const icon = $('[data-act="attach"] svg').cloneNode(true);
      item.append(icon);
    }
    const name = document.createElement('span');
    name.textContent = file.name;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'icon';
    button.dataset.act = 'detach';
    button.dataset.index = index;
    button.setAttribute('aria-label', `Remove ${file.name}`);
    button.append($('[data-act="dismiss"] svg').cloneNode(true));
    item.append(name, button);
    return item;
  }));
  list.hidden = files.length === 0;
}

export const attached = () => [...files];

export function clearAttached() {
  files = [];
  render();
}

/** What the buttons beside the message box do. */
export const acts = {
  attach: () => picker.click(),
  detach: (button) => {
    const [gone] = files.splice(Number(button.dataset.index), 1);
    render();
    say(`${gone.name} removed.`);
    ($('#attached button') ?? $('[data-act="attach"]')).focus();
  },
};

/** Connects picker, drop and paste. */
export function startAttach() {
  picker?.addEventListener('change', () => {
    const chosen = [...picker.files];
    picker.value = '';   // the same file can be chosen again
    attach(chosen);
  });
  const holdsFiles = (event) => [...event.dataTransfer?.types ?? []].includes('Files');
  room.addEventListener('dragover', (event) => {
    if (holdsFiles(event)) {
      event.preventDefault();
      room.classList.add('dropping');
    }
  });
  room.addEventListener('dragleave', (event) => {
    if (!room.contains(event.relatedTarget)) {
      room.classList.remove('dropping');
    }
  });
  room.addEventListener('drop', (event) => {
    room.classList.remove('dropping');
    if (holdsFiles(event)) {
      event.preventDefault();
      attach([...event.dataTransfer.files]);
    }
  });
  document.addEventListener('paste', (event) => {
    const pasted = [...event.clipboardData?.files ?? []];
    if (pasted.length > 0) {
      event.preventDefault();
      attach(pasted);
    }
  });
}
