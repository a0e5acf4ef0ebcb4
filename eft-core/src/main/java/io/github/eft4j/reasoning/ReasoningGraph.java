package io.github.eft4j.reasoning;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Statements and which of them support which: a directed graph without cycles. Immutable.
 *
 * <p>Nodes go by their index in {@link #nodes()}, edges by theirs in {@link #edges()}.
 */
public final class ReasoningGraph {
  /**
   * A statement that supports another.
   *
   * @param parent the index of the node that supports
   * @param child the index of the node that is supported
   */
  public record Edge(int parent, int child) {}

  private final List<String> nodes;
  private final List<Edge> edges;
  private final List<List<Integer>> incoming;
  private final List<Integer> order;

  /**
   * Makes a graph.
   *
   * @param nodes the statements
   * @param edges which supports which
   * @throws IllegalArgumentException if an edge names a node that does not exist, occurs twice, or
   *     closes a cycle
   */
  public ReasoningGraph(List<String> nodes, List<Edge> edges) {
    this.nodes = List.copyOf(nodes);
    this.edges = List.copyOf(edges);
    this.incoming = incoming(this.nodes.size(), this.edges);
    this.order = sorted();
    if (order.size() < this.nodes.size()) {
      throw new IllegalArgumentException("the edges close a cycle: " + cycle());
    }
  }

  private static List<List<Integer>> incoming(int nodes, List<Edge> edges) {
    List<List<Integer>> incoming = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      incoming.add(new ArrayList<>());
    }
    HashSet<Edge> seen = new HashSet<>();
    for (int e = 0; e < edges.size(); e++) {
      Edge edge = edges.get(e);
      if (Math.min(edge.parent, edge.child) < 0 || Math.max(edge.parent, edge.child) >= nodes) {
        throw new IllegalArgumentException(
            "the edge from %d to %d is outside the graph of %d nodes"
                .formatted(edge.parent, edge.child, nodes));
      }
      if (!seen.add(edge)) {
        throw new IllegalArgumentException(
            "the edge from %d to %d occurs twice".formatted(edge.parent, edge.child));
      }
      incoming.get(edge.child).add(e);
    }
    return incoming.stream().map(List::copyOf).toList();
  }

  /** Kahn's algorithm; of the nodes that could come next, the one with the lowest index does. */
  private List<Integer> sorted() {
    List<List<Integer>> children = new ArrayList<>();
    nodes.forEach(_ -> children.add(new ArrayList<>()));
    edges.forEach(edge -> children.get(edge.parent).add(edge.child));
    int[] waiting = incoming.stream().mapToInt(List::size).toArray();
    PriorityQueue<Integer> ready = new PriorityQueue<>();
    for (int node = 0; node < waiting.length; node++) {
      if (waiting[node] == 0) {
        ready.add(node);
      }
    }
    List<Integer> result = new ArrayList<>();
    for (Integer node = ready.poll(); node != null; node = ready.poll()) {
      result.add(node);
      for (int child : children.get(node)) {
        if (--waiting[child] == 0) {
          ready.add(child);
        }
      }
    }
    return List.copyOf(result);
  }

  /** One of the cycles: whoever is not in the order has a parent that is not, either. */
  private List<Integer> cycle() {
    HashSet<Integer> sorted = new HashSet<>(order);
    List<Integer> path = new ArrayList<>();
    int node = 0;
    while (sorted.contains(node)) {
      node++;
    }
    while (!path.contains(node)) {
      path.add(node);
      node =
          incoming.get(node).stream()
              .map(edge -> edges.get(edge).parent)
              .filter(parent -> !sorted.contains(parent))
              .findFirst()
              .orElseThrow();
    }
    List<Integer> cycle = new ArrayList<>(path.subList(path.indexOf(node), path.size()));
    cycle.add(node);
    Collections.reverse(cycle);
    return cycle;
  }

  /**
   * The statements.
   *
   * @return the nodes, in the order in which they were made
   */
  public List<String> nodes() {
    return nodes;
  }

  /**
   * Which statement supports which.
   *
   * @return the edges
   */
  public List<Edge> edges() {
    return edges;
  }

  /**
   * The edges that lead to a node.
   *
   * @param node the node's index
   * @return the indices of the edges; none for a root
   */
  public List<Integer> incoming(int node) {
    return incoming.get(node);
  }

  /**
   * An order in which every node comes after all that support it.
   *
   * @return the nodes' indices
   */
  public List<Integer> topologicalOrder() {
    return order;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ReasoningGraph graph
        && nodes.equals(graph.nodes)
        && edges.equals(graph.edges);
  }

  @Override
  public int hashCode() {
    return 31 * nodes.hashCode() + edges.hashCode();
  }

  @Override
  public String toString() {
    return "ReasoningGraph[nodes=" + nodes + ", edges=" + edges + "]";
  }
}
