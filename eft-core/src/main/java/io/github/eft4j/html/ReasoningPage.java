package io.github.eft4j.html;

import static io.github.eft4j.html.HtmlPage.escape;

import io.github.eft4j.reasoning.AgentFailure;
import io.github.eft4j.reasoning.Cost;
import io.github.eft4j.reasoning.GraphScore;
import io.github.eft4j.reasoning.Judgement;
import io.github.eft4j.reasoning.ReasoningGraph;
import io.github.eft4j.reasoning.ReasoningResult;
import io.github.eft4j.reasoning.ScoredGraph;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToIntFunction;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Draws reasoning graphs as a web page: the steps with the belief in each, the edges with their
 * trust, and which graph won. The page needs nothing beside itself, and follows the reader's choice
 * of light or dark.
 */
public final class ReasoningPage {
  private static final int WIDTH = 520;
  private static final int BOX_LEFT = 110;
  private static final int BOX_WIDTH = WIDTH - BOX_LEFT - 10;
  private static final int PADDING = 10;
  private static final int LINE_HEIGHT = 18;
  private static final int GAP = 34;
  private static final int BAR_HEIGHT = 6;

  /** What fits into a box at the page's font size. */
  private static final int LINE_CHARS = 54;

  private static final Pattern WHITESPACE = Pattern.compile("\\s+");

  /** Above it a trust strengthens belief, below it it weakens. */
  private static final double NEUTRAL_TRUST = 0.5;

  private static final double STRONG_TRUST = 0.8;

  private static final String STYLE =
      """
      .answer { font-size: 17px; margin: 0 0 20px; }
      .cost, .score { color: var(--quiet); margin: 0 0 16px; }
      .graphs { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
      article { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
        padding: 16px; box-sizing: border-box; width: 554px; max-width: 100%; }
      article.winner { border: 2px solid var(--accent); padding: 15px; }
      article.failed { color: var(--quiet); }
      .badge { background: var(--accent); color: var(--card); border-radius: 6px;
        padding: 1px 8px; font-size: 13px; margin-left: 8px; }
      svg { width: 100%; height: auto; display: block; }
      svg text { fill: var(--text); font: 13px system-ui, sans-serif; }
      .node rect.box { fill: var(--node); stroke: var(--line); }
      .node text.belief { fill: var(--quiet); font-size: 12px; }
      .node rect.scale { fill: var(--line); }
      .node rect.bar { fill: var(--accent); }
      .edge path { fill: none; stroke-width: 2; }
      .edge text { font-size: 12px; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
      .edge text.left { text-anchor: end; }
      .strong path { stroke: var(--strong); } .strong text, .strong polygon { fill: var(--strong); }
      .weak path { stroke: var(--weak); } .weak text, .weak polygon { fill: var(--weak); }
      .against path { stroke: var(--against); }
      .against text, .against polygon { fill: var(--against); }
      """;

  private ReasoningPage() {}

  /**
   * Draws the graphs of an answer.
   *
   * @param question the question that was asked
   * @param result the answer
   * @return an HTML document
   */
  public static String html(String question, ReasoningResult result) {
    StringBuilder page = HtmlPage.begin("Theorem-of-Thought", STYLE);
    page.append("<h1>").append(escape(question)).append("</h1>\n");
    page.append("<p class=\"answer\">")
        .append(
            result
                .answer()
                .map(answer -> "Answer: <strong>" + escape(answer) + "</strong>")
                .orElse("No agent came to an answer."))
        .append("</p>\n");
    Cost cost = result.cost();
    page.append(
        "<p class=\"cost\">%d decoding passes, %d tokens, %d NLI calls, %d belief updates</p>\n"
            .formatted(
                cost.decodingPasses(), cost.tokens(), cost.nliCalls(), cost.beliefUpdates()));
    page.append("<div class=\"graphs\">\n");
    for (ScoredGraph graph : result.graphs()) {
      article(page, graph, result.winner().filter(graph::equals).isPresent());
    }
    for (AgentFailure failure : result.failures()) {
      page.append("<article class=\"failed\"><h2>%s</h2>\n".formatted(escape(failure.agent())))
          .append("<p>Failed: %s</p></article>\n".formatted(escape(failure.message())));
    }
    return HtmlPage.end(page.append("</div>\n"));
  }

  private static void article(StringBuilder page, ScoredGraph graph, boolean wins) {
    GraphScore score = graph.score();
    page.append(wins ? "<article class=\"winner\">" : "<article>")
        .append("<h2>")
        .append(escape(graph.agent()))
        .append(wins ? "<span class=\"badge\">winner</span>" : "")
        .append("</h2>\n")
        .append(
            "<p class=\"score\">score %s = belief %s − entropy %s (%s)<br>answer: %s</p>\n"
                .formatted(
                    number(score.value()),
                    number(score.meanBelief()),
                    number(score.meanEntropy()),
                    score.unit().name().toLowerCase(Locale.ROOT),
                    escape(graph.trace().conclusion().orElse("none"))));
    svg(page, graph);
    page.append("</article>\n");
  }

  /** Where a node's box is. */
  private record Box(List<String> lines, int top, int height) {
    int middle() {
      return top + height / 2;
    }

    int bottom() {
      return top + height;
    }
  }

  private static void svg(StringBuilder page, ScoredGraph scored) {
    ReasoningGraph graph = scored.graph();
    List<Integer> order = graph.topologicalOrder();
    int[] rank = new int[order.size()];
    Box[] boxes = new Box[order.size()];
    int top = PADDING;
    for (int i = 0; i < order.size(); i++) {
      int node = order.get(i);
      int number = scored.trace().steps().get(node).number();
      List<String> lines = wrap(number + ". " + graph.nodes().get(node));
      int height = 2 * PADDING + (lines.size() + 1) * LINE_HEIGHT;
      rank[node] = i;
      boxes[node] = new Box(lines, top, height);
      top += height + GAP;
    }
    page.append(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Reasoning graph of the %s agent\">\n"
            .formatted(WIDTH, top - GAP + PADDING, escape(scored.agent())));
    // Long arcs first, so that labels of short ones lie over them.
    ToIntFunction<Integer> distance =
        e -> rank[graph.edges().get(e).child()] - rank[graph.edges().get(e).parent()];
    for (int e :
        IntStream.range(0, graph.edges().size())
            .boxed()
            .sorted(Comparator.comparingInt(distance).reversed())
            .toList()) {
      ReasoningGraph.Edge edge = graph.edges().get(e);
      edge(
          page,
          boxes[edge.parent()],
          boxes[edge.child()],
          distance.applyAsInt(e),
          scored.trusts().get(e),
          scored.judgements().get(e));
    }
    for (int node : order) {
      node(page, boxes[node], graph.nodes().get(node), scored.beliefs().get(node));
    }
    page.append("</svg>\n");
  }

  private static void node(StringBuilder page, Box box, String text, double belief) {
    page.append("<g class=\"node\"><title>")
        .append(escape(text))
        .append("</title>")
        .append(
            "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>"
                .formatted(BOX_LEFT, box.top(), BOX_WIDTH, box.height()));
    int x = BOX_LEFT + PADDING;
    int y = box.top() + PADDING + LINE_HEIGHT - 5;
    for (String line : box.lines()) {
      page.append("<text x=\"%d\" y=\"%d\">%s</text>".formatted(x, y, escape(line)));
      y += LINE_HEIGHT;
    }
    int barLeft = x + 100;
    int barWidth = BOX_WIDTH - 100 - 2 * PADDING;
    String bar = "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%s\" height=\"%d\" rx=\"3\"/>";
    page.append(
            "<text class=\"belief\" x=\"%d\" y=\"%d\">belief %s</text>"
                .formatted(x, y, number(belief)))
        .append(bar.formatted("scale", barLeft, y - BAR_HEIGHT - 1, barWidth, BAR_HEIGHT))
        .append(
            bar.formatted(
                "bar",
                barLeft,
                y - BAR_HEIGHT - 1,
                String.format(Locale.ROOT, "%.1f", belief * barWidth),
                BAR_HEIGHT))
        .append("</g>\n");
  }

  /** An arrow straight down to the next box, or around the boxes between, on their left. */
  private static void edge(
      StringBuilder page, Box parent, Box child, int distance, double trust, Judgement judgement) {
    page.append(
        "<g class=\"edge %s\"><title>entailment %s, neutral %s, contradiction %s</title>"
            .formatted(
                strength(trust),
                number(judgement.entailment()),
                number(judgement.neutral()),
                number(judgement.contradiction())));
    if (distance == 1) {
      int x = BOX_LEFT + BOX_WIDTH / 2;
      page.append("<path d=\"M%d %d V%d\"/>".formatted(x, parent.bottom(), child.top() - 6))
          .append(arrow(x - 5, child.top() - 8, x + 5, child.top() - 8, x, child.top()))
          .append(
              "<text x=\"%d\" y=\"%d\">%s %s</text>"
                  .formatted(
                      x + PADDING,
                      (parent.bottom() + child.top()) / 2 + 4,
                      number(trust),
                      judgement.label().name().toLowerCase(Locale.ROOT)));
    } else {
      int x = BOX_LEFT - Math.min(20 + 16 * distance, BOX_LEFT);
      int y = child.middle();
      int leftmost = (BOX_LEFT + 3 * x) / 4; // of a Bézier curve with both controls at x
      page.append(
              "<path d=\"M%d %d C%d %d %d %d %d %d\"/>"
                  .formatted(BOX_LEFT, parent.middle(), x, parent.middle(), x, y, BOX_LEFT - 6, y))
          .append(arrow(BOX_LEFT - 8, y - 5, BOX_LEFT - 8, y + 5, BOX_LEFT, y))
          .append(
              "<text class=\"left\" x=\"%d\" y=\"%d\">%s</text>"
                  .formatted(leftmost - 4, (parent.middle() + y) / 2 + 4, number(trust)));
    }
    page.append("</g>\n");
  }

  private static String arrow(int x1, int y1, int x2, int y2, int x3, int y3) {
    return "<polygon points=\"%d,%d %d,%d %d,%d\"/>".formatted(x1, y1, x2, y2, x3, y3);
  }

  private static String strength(double trust) {
    if (trust < NEUTRAL_TRUST) {
      return "against";
    }
    return trust < STRONG_TRUST ? "weak" : "strong";
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  private static List<String> wrap(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : WHITESPACE.splitAsStream(text).toList()) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > LINE_CHARS) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
      while (line.length() > LINE_CHARS) {
        int cut =
            Character.isHighSurrogate(line.charAt(LINE_CHARS - 1)) ? LINE_CHARS - 1 : LINE_CHARS;
        lines.add(line.substring(0, cut));
        line.delete(0, cut);
      }
    }
    lines.add(line.toString());
    return lines;
  }
}
