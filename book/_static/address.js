// What the page's address says of things to move: an entry for each control, as in neuron.bias=-2.

const pageAddress = (() => {
  const entries = () => {
    const all = [...new URLSearchParams(location.hash.slice(1))];
    return new URLSearchParams(all.filter(([name]) => name.includes(".")));
  };

  return {
    /** Read an entry; null is none. */
    get: (name) => entries().get(name),

    /** Write entries, so that the address can be shared; null takes one away. */
    set(changes) {
      const changed = entries();
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) changed.delete(name);
        else changed.set(name, value);
      }
      history.replaceState(null, "", `#${changed}`);
    },
  };
})();
