/** The create calls that a cloud was asked for. */
export class CreateCalls {
  asked = 0;
  /** Those that were lost, late, sent twice, not answered, answered with a failure of the cloud, or whose server crashed or stood still meanwhile. */
  faulted = 0;

  /** Gives whom to tell of the troubles of one call. */
  begin(): () => void {
    this.asked += 1;
    let isFaulted = false;
    return () => {
      if (!isFaulted) this.faulted += 1;
      isFaulted = true;
    };
  }
}
