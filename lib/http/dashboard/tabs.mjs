// Tabs as the ARIA practices describe them: one stop for the Tab key, arrows move between them.

import { h } from './dom.mjs';

let groups = 0;

/**
 * @param {{ name: string, label: string, panel: HTMLElement }[]} tabs
 * @param {(name: string) => void} onSelect
 */
export function createTabs(tabs, onSelect) {
  const group = ++groups;
  const buttons = tabs.map(({ name, label, panel }, index) => {
    panel.id = `hp-${group}-panel-${name}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', `hp-${group}-tab-${name}`);
    return h(
      'button',
      {
        id: `hp-${group}-tab-${name}`,
        role: 'tab',
        type: 'button',
        'aria-controls': panel.id,
        onclick: () => select(name),
        onkeydown: (event) => move(event, index),
      },
      label,
    );
  });

  function move(event, index) {
    const last = tabs.length - 1;
    const targets = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: last };
    if (!(event.key in targets)) return;
    event.preventDefault();
    const target = (targets[event.key] + tabs.length) % tabs.length;
    buttons[target].focus();
    select(tabs[target].name);
  }

  function select(name) {
    for (const [index, tab] of tabs.entries()) {
      const selected = tab.name === name;
      buttons[index].setAttribute('aria-selected', `${selected}`);
      buttons[index].tabIndex = selected ? 0 : -1;
      tab.panel.hidden = !selected;
    }
    onSelect(name);
  }

  return { element: h('div', { class: 'hp-tabs', role: 'tablist', 'aria-label': 'Views' }, ...buttons), select };
}
