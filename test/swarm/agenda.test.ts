/** What a computed crowd rests on: everything happens, once, in its order, whoever's turn it is. */
import * as assert from "uvu/assert";
import { Agenda } from "../bench/crowd/sim-agenda.ts";
import { Mail } from "../bench/crowd/sim-mail.ts";
import { createRandom } from "../helpers/random.ts";
import { suite } from "../helpers/suite.ts";

/** Writes down what happens to it, and may do something about it. */
function actor(agenda: Agenda, act?: (now: number, block: number) => void) {
  const log: { at: number; block: number }[] = [];
  let at = 0;
  const number = agenda.add({
    begin: (now) => at = now,
    happen: (_what, _from, block) => {
      log.push({ at, block });
      act?.(at, block);
    },
    end: () => {},
    rest: () => {},
  });
  return { number, log };
}

suite("agenda", (test) => {
  test("a node's events happen in the order of their times, and of planning where those are the same", () => {
    const agenda = new Agenda(10);
    const { number, log } = actor(agenda);
    for (const [block, time] of [25, 3, 3, 19, 1].entries()) {
      agenda.plan(time, number, 0, 0, block);
    }
    for (let slice = 0; slice < 3; slice++) agenda.run();
    assert.equal(log.map(({ block }) => block), [4, 1, 2, 3, 0]);
    assert.equal(log.map(({ at }) => at), [1, 3, 3, 19, 25]);
  });

  test("of different things at one moment the order is the same, in whichever they were planned", () => {
    const things = [[1, 2], [1, 3], [2, 0], [3, 1]];
    for (const planned of [things, things.toReversed()]) {
      const agenda = new Agenda(10);
      const { number, log } = actor(agenda);
      for (const [what, from] of planned) agenda.plan(5, number, what!, from, 10 * what! + from!);
      agenda.run();
      assert.equal(log.map(({ block }) => block), [12, 13, 20, 31]);
    }
  });

  test("thousands of nodes that plan more for themselves meanwhile miss nothing", () => {
    const random = createRandom(1);
    const agenda = new Agenda(10);
    let planned = 0;
    const actors = Array.from({ length: 300 }, () => {
      const self = actor(agenda, (now, block) => {
        if (block === 0) return;
        agenda.plan(now + random.int(6), self.number, 0, 0, block - 1);
        planned++;
      });
      return self;
    });
    for (const { number } of actors) {
      for (let i = 0; i < 3; i++, planned++) agenda.plan(random.int(30), number, 0, 0, 4);
    }
    for (let slice = 0; slice < 10; slice++) agenda.run();
    assert.is(actors.reduce((sum, { log }) => sum + log.length, 0), planned);
    for (const { log } of actors) {
      assert.equal(log.map(({ at }) => at), log.map(({ at }) => at).sort((a, b) => a - b));
    }
  });

  test("nothing reaches another node sooner than the lines allow", () => {
    const agenda = new Agenda(10);
    const other = actor(agenda);
    const hasty = actor(agenda, (now) => agenda.plan(now + 1, other.number, 0));
    agenda.plan(0, hasty.number, 0);
    assert.throws(() => agenda.run(), /too soon/);
  });
});

suite("mail", (test) => {
  test("a letter is read once it has come, however many there are and whoever they are for", () => {
    const mail = new Mail(2);
    const expected: number[] = [];
    for (let i = 0; i < 500; i++) {
      mail.post(i % 5, i, 3, i % 7, i);
      if (i % 5 === 4 && i <= 400) expected.push(i);
    }
    const read: number[] = [];
    const hear = (what: number, from: number, block: number, at: number) => {
      assert.equal([what, from, at], [3, block % 7, block]);
      read.push(block);
    };
    mail.take(4, 200, hear);
    mail.take(4, 400, hear);
    mail.take(4, 400, hear);
    assert.equal(read, expected);
    const later: number[] = [];
    mail.peek(4, (_what, block) => later.push(block));
    assert.equal(later.length, 100 - expected.length);
  });

  test("letters are read in the order of their times, and one's before another's that comes with it", () => {
    const letters = [[30, 1, 0], [10, 2, 1], [20, 0, 2], [10, 1, 3], [10, 2, 4]] as const;
    const mail = new Mail(1);
    for (const [time, from, block] of letters) mail.post(0, time, 4, from, block);
    const read: number[] = [];
    mail.take(0, 15, (_what, _from, block) => read.push(block));
    mail.post(0, 25, 4, 9, 5);
    mail.take(0, 30, (_what, _from, block) => read.push(block));
    assert.equal(read, [3, 1, 4, 2, 5, 0]);
  });
});
