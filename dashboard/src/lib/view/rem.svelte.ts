/** What one rem is now, in pixels; follows the window. */
export class Rem {
  px = $state(16);

  constructor() {
    $effect(() => {
      const measure = () => {
        this.px = parseFloat(getComputedStyle(document.documentElement).fontSize);
      };
      measure();
      window.addEventListener("resize", measure);
      return () => window.removeEventListener("resize", measure);
    });
  }
}
