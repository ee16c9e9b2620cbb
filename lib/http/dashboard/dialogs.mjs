// Questions before something is done, and word of what came of it.

import { h } from './dom.mjs';

const SHOWN_MS = 6000;

/**
 * Asks. Resolves with what was filled in, or undefined when it was called off (by button, Escape or anything else).
 *
 * @param {Element} host
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.text what will happen
 * @param {string} question.verb on the button
 * @param {boolean} [question.danger]
 * @param {{ name: string, label: string, value?: string | number, type?: string, required?: boolean, min?: number,
 *   max?: number }[]} [question.fields]
 * @returns {Promise<Record<string, string> | undefined>}
 */
export function ask(host, { title, text, verb, danger = false, fields = [] }) {
  const inputs = fields.map(({ name, label, value = '', type = 'text', required = true, ...limits }) =>
    h('label', { class: 'hp-field' }, label, h('input', { name, type, value, required, ...limits })),
  );
  const no = h('button', { class: 'hp-button', type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const yes = h('button', { class: `hp-button ${danger ? 'hp-danger' : 'hp-primary'}`, value: 'yes' }, verb);
  const form = h('form', { method: 'dialog' }, ...inputs, h('div', { class: 'hp-actions' }, no, yes));
  const dialog = h('dialog', { 'aria-label': title }, h('h2', {}, title), h('p', { class: 'hp-muted' }, text), form);
  host.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      const answers = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, `${value}`]));
      dialog.remove();
      resolve(dialog.returnValue === 'yes' ? answers : undefined);
    });
    dialog.showModal();
    // An action is never one careless Enter away.
    if (fields.length === 0) no.focus();
  });
}

/** Where word of actions appears. */
export class Toasts {
  element = h('div', { class: 'hp-toasts', role: 'status', 'aria-live': 'polite' });

  /** @param {string} text @param {'done' | 'error'} [kind] */
  show(text, kind = 'done') {
    const toast = h('div', { class: 'hp-toast', 'data-kind': kind }, text);
    this.element.append(toast);
    setTimeout(() => toast.remove(), SHOWN_MS);
  }
}
