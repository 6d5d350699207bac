/** Lets sends go beside each other, or, while `isAlone` says so, one at a time. */
export class SendGate {
  private readonly isAlone: () => boolean;
  private underWay = 0;
  private aloneUnderWay = false;
  private waiting: (() => void)[] = [];

  constructor(isAlone: () => boolean) {
    this.isAlone = isAlone;
  }

  async run<T>(send: () => Promise<T>): Promise<T> {
    while (this.isAlone() ? this.underWay > 0 : this.aloneUnderWay)
      await new Promise<void>((resolve) => void this.waiting.push(resolve));
    this.underWay += 1;
    const isAlone = this.isAlone();
    this.aloneUnderWay = isAlone;
    try {
      return await send();
    } finally {
      this.underWay -= 1;
      if (isAlone) this.aloneUnderWay = false;
      for (const wake of this.waiting.splice(0)) wake();
    }
  }
}
