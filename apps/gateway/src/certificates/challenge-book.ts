import type { ChallengeAnswer } from '@dstack/gateway-protocol';

/** The other replicas did not take a challenge. */
export class ChallengeNotSharedError extends Error {
  override readonly name = 'ChallengeNotSharedError';
}

export interface ChallengeBookTools {
  readonly after: (ms: number, then: () => void) => { cancel(): void };
  readonly changed: () => void;
}

const SHARED_WITHIN_MS = 120_000;

interface Own {
  readonly answer: ChallengeAnswer;
  readonly confirmed: () => void;
}

/** What the authority is to be answered: by this replica's own orders, and by those of others. */
export class ChallengeBook {
  private readonly own = new Map<string, Own>();
  private others = new Map<string, ChallengeAnswer>();

  constructor(private readonly tools: ChallengeBookTools) {}

  answer(token: string): string | undefined {
    return (this.own.get(token)?.answer ?? this.others.get(token))?.keyAuthorization;
  }

  /** To be told to the other replicas. */
  open(): ChallengeAnswer[] {
    return [...this.own.values()].map(({ answer }) => answer);
  }

  /** What others have to answer; an own one among them says that all the others have it. */
  put(answers: readonly ChallengeAnswer[]): void {
    this.others = new Map(answers.map((answer) => [answer.token, answer]));
    for (const { token } of answers) this.own.get(token)?.confirmed();
  }

  /**
   * Answers with it from now on, until `withdraw`. Resolves when every replica does.
   * @throws {ChallengeNotSharedError}
   */
  async offer(answer: ChallengeAnswer, isShared: boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = isShared
        ? this.tools.after(SHARED_WITHIN_MS, () =>
            reject(new ChallengeNotSharedError('the other replicas of the gateway did not take the challenge in time')),
          )
        : null;
      const confirmed = (): void => {
        timer?.cancel();
        resolve();
      };
      this.own.set(answer.token, { answer, confirmed });
      this.tools.changed();
      if (!isShared) confirmed();
    });
  }

  withdraw(token: string): void {
    if (this.own.delete(token)) this.tools.changed();
  }
}
