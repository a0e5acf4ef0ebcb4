package io.github.eft4j.examples.study;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws the charts of the report. */
final class Charts {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 430;
  private static final int DOTS_PER_INCH = 144;
  private static final Color FACTUALITY = new Color(0x1f77b4);
  private static final Color HELPFULNESS = new Color(0xff7f0e);
  private static final Color THIRD = new Color(0x2ca02c);
  private static final Color GRID = new Color(0xdddddd);

  private Charts() {}

  /** A curve: its name, its colour, and what it shows of an outcome. */
  record Curve(String name, Color color, Function<Outcome, Proportion> value) {
    static final Curve FACTUAL = new Curve("factuality", FACTUALITY, Outcome::factuality);
    static final Curve HELPFUL = new Curve("helpfulness", HELPFULNESS, Outcome::helpfulness);
    static final Curve TERSE = new Curve("terse form", THIRD, Outcome::terseness);
  }

  static void compare(Path file, String title, Map<String, Outcome> outcomes) throws IOException {
    Map<String, List<Proportion>> shares = new LinkedHashMap<>();
    for (Curve curve : List.of(Curve.FACTUAL, Curve.HELPFUL)) {
      shares.put(curve.name(), outcomes.values().stream().map(curve.value()).toList());
    }
    bars(file, title, "share of answers", List.copyOf(outcomes.keySet()), shares);
  }

  /** Bars side by side for each category, a colour for each of up to three series. */
  static void bars(
      Path file,
      String title,
      String yTitle,
      List<String> categories,
      Map<String, List<Proportion>> shares)
      throws IOException {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .yAxisTitle(yTitle)
            .build();
    CategoryStyler styler = chart.getStyler();
    style(styler);
    styler.setAvailableSpaceFill(0.7);
    styler.setYAxisMin(0.0).setYAxisMax(1.0);
    styler.setSeriesColors(new Color[] {FACTUALITY, HELPFULNESS, THIRD});
    shares.forEach(
        (name, values) ->
            chart.addSeries(
                name,
                categories,
                values.stream().map(Proportion::value).toList(),
                // One length of bar serves both sides.
                values.stream().map(p -> (p.high() - p.low()) / 2).toList()));
    save(chart, file);
  }

  static void sweep(
      Path file, String title, String xTitle, Map<Double, Outcome> outcomes, List<Curve> curves)
      throws IOException {
    XYChart chart = lines(title, xTitle, "share of answers");
    chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
    List<Double> settings = new ArrayList<>(outcomes.keySet());
    for (Curve curve : curves) {
      List<Proportion> shares = outcomes.values().stream().map(curve.value()).toList();
      line(
          chart,
          curve.name(),
          curve.color(),
          settings,
          shares.stream().map(Proportion::value).toList(),
          shares.stream().map(p -> (p.high() - p.low()) / 2).toList());
    }
    save(chart, file);
  }

  /** Tokens per second by block length, against none. */
  static void speed(Path file, List<Study.Speed> greedy, List<Study.Speed> drawn)
      throws IOException {
    XYChart chart =
        lines(
            "Speculation against none: tokens/s, and tokens a pass of the large model",
            "drafted tokens a pass",
            "times as many as without");
    speedLines(chart, "greedy", FACTUALITY, greedy);
    speedLines(chart, "temperature 1", HELPFULNESS, drawn);
    save(chart, file);
  }

  private static void speedLines(
      XYChart chart, String name, Color color, List<Study.Speed> speeds) {
    Study.Speed none = speeds.getFirst();
    List<Study.Speed> some = speeds.stream().filter(s -> s.blockLength() > 0).toList();
    List<Double> lengths = some.stream().map(s -> (double) s.blockLength()).toList();
    line(
        chart,
        name + ": tokens/s",
        color,
        lengths,
        values(some, s -> s.tokensPerSecond() / none.tokensPerSecond()),
        null);
    line(
        chart,
        name + ": tokens a pass",
        color.darker().darker(),
        lengths,
        values(some, s -> (double) s.tokens() / s.passes()),
        null);
  }

  private static List<Double> values(
      List<Study.Speed> speeds, ToDoubleFunction<Study.Speed> value) {
    return speeds.stream().mapToDouble(value).boxed().toList();
  }

  private static XYChart lines(String title, String xTitle, String yTitle) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(xTitle)
            .yAxisTitle(yTitle)
            .build();
    style(chart.getStyler());
    return chart;
  }

  private static void line(
      XYChart chart,
      String name,
      Color color,
      List<Double> x,
      List<Double> y,
      @org.jspecify.annotations.Nullable List<Double> errors) {
    XYSeries series =
        errors == null ? chart.addSeries(name, x, y) : chart.addSeries(name, x, y, errors);
    series.setLineColor(color);
    series.setMarkerColor(color);
    series.setMarker(SeriesMarkers.CIRCLE);
  }

  private static void style(AxesChartStyler styler) {
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setChartFontColor(Color.DARK_GRAY);
    styler.setPlotBorderVisible(false);
    styler.setPlotGridLinesColor(GRID);
    styler.setLegendPosition(Styler.LegendPosition.OutsideS);
    styler.setLegendLayout(Styler.LegendLayout.Horizontal);
    styler.setLegendBorderColor(Color.WHITE);
    styler.setChartTitleBoxVisible(false);
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
    styler.setErrorBarsColor(Color.GRAY);
  }

  private static void save(Chart<?, ?> chart, Path file) throws IOException {
    BitmapEncoder.saveBitmapWithDPI(
        chart, file.toString(), BitmapEncoder.BitmapFormat.PNG, DOTS_PER_INCH);
  }
}
