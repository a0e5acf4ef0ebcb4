package io.github.eft4j;

import java.util.List;

/**
 * Watches growing text for stop strings, and holds back the end of the text while it might be the
 * beginning of one.
 */
final class StopStrings {
  private final List<String> stops;
  private final int longest;
  private final StringBuilder held = new StringBuilder();
  private boolean reached;

  StopStrings(List<String> stops) {
    this.stops = stops;
    this.longest = stops.stream().mapToInt(String::length).max().orElse(0);
  }

  /**
   * Adds text.
   *
   * @return the text that has become certain, possibly none; nothing after a stop string
   */
  String append(String text) {
    if (reached) {
      return "";
    }
    held.append(text);
    int end = -1;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && (end < 0 || at < end)) {
        end = at;
      }
    }
    reached = end >= 0;
    return release(reached ? end : certain());
  }

  /** The text that is held back, when no more will come. */
  String flush() {
    return reached ? "" : release(held.length());
  }

  boolean reached() {
    return reached;
  }

  /** The number of leading characters of the held text that cannot belong to a stop string. */
  private int certain() {
    for (int from = Math.max(0, held.length() - longest + 1); from < held.length(); from++) {
      String tail = held.substring(from);
      if (stops.stream().anyMatch(stop -> stop.startsWith(tail))) {
        return from;
      }
    }
    return held.length();
  }

  private String release(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }
}
