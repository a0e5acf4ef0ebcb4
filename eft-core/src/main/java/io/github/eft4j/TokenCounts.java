package io.github.eft4j;

/** How often each token stands in a completion, and whether it stands in the prompt. */
final class TokenCounts {
  private final int[] inCompletion;
  private final boolean[] inPrompt;

  TokenCounts(int vocabulary, int[] prompt) {
    inCompletion = new int[vocabulary];
    inPrompt = new boolean[vocabulary];
    for (int id : prompt) {
      if (id < vocabulary) {
        inPrompt[id] = true;
      }
    }
  }

  void add(int id) {
    inCompletion[id]++;
  }

  void remove(int id) {
    inCompletion[id]--;
  }

  int inCompletion(int id) {
    return inCompletion[id];
  }

  boolean occurs(int id) {
    return inPrompt[id] || inCompletion[id] > 0;
  }
}
