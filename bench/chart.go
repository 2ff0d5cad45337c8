package main

import (
	"bytes"
	"image/color"
	"io"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// panel is one diagram of the chart: a column of a result.
type panel struct {
	title string
	lower bool
	bars  []bar // from the bottom to the top
}

type bar struct {
	name       string
	value      float64
	own, floor bool // it is Godwit's, or the floor's
}

// panels returns what the chart shows.
func panels(results []*result) []panel {
	var ps []panel
	for _, r := range results {
		for i, c := range r.workload.columns {
			title, ok := r.workload.chart[c.title]
			if !ok {
				continue
			}
			p := panel{title: title, lower: c.lower}
			for _, row := range slices.Backward(r.rows) {
				if s, ok := row.spreadOf(i); ok {
					p.bars = append(p.bars, bar{
						name: shortName(row.peer), value: s.Median,
						own: row.peer.family == "godwit", floor: row.peer.family == floorPeer.family,
					})
				}
			}
			if len(p.bars) > 0 {
				ps = append(ps, p)
			}
		}
	}
	return ps
}

// shortName is a peer's name where there is little room.
func shortName(p peer) string {
	names := map[string]string{
		floorPeer.name: "floor", godwitFixed.name: "Godwit, fixed", godwitBlocking.name: "Godwit, blocking", bunHandler.name: "Bun, handler", bunStatic.name: "Bun, static",
		netHTTP2.name: "net/http, h2", netHTTP1.name: "net/http, h1",
		godwitHTTP.name: "Godwit", quicGoHTTP.name: "quic-go", "Bun, HTTP/3": "Bun",
	}
	if short, ok := names[p.name]; ok {
		return short
	}
	return p.name
}

const (
	panelsAcross = 2
	panelWidth   = 13 * vg.Centimeter
	panelHeight  = 6 * vg.Centimeter
	barWidth     = 12 // points
)

var (
	ownColor   = color.RGBA{R: 0xd9, G: 0x5f, B: 0x1e, A: 0xff}
	otherColor = color.RGBA{R: 0x7d, G: 0x8c, B: 0x9c, A: 0xff}
	floorColor = color.RGBA{R: 0xd5, G: 0xda, B: 0xdf, A: 0xff}
)

// writeChart draws the chart as SVG. Without results it is empty.
func writeChart(w io.Writer, results []*result) error {
	ps := panels(results)
	rows := max(1, (len(ps)+panelsAcross-1)/panelsAcross)
	canvas := vgsvg.New(panelsAcross*panelWidth, vg.Length(rows)*panelHeight)
	tiles := draw.Tiles{Rows: rows, Cols: panelsAcross, PadX: 6 * vg.Millimeter, PadY: 4 * vg.Millimeter,
		PadTop: 3 * vg.Millimeter, PadBottom: 3 * vg.Millimeter, PadLeft: 3 * vg.Millimeter, PadRight: 6 * vg.Millimeter}
	area := draw.New(canvas)
	area.SetColor(color.White)
	area.Fill(area.Rectangle.Path())
	for i, p := range ps {
		diagram, err := p.draw()
		if err != nil {
			return err
		}
		diagram.Draw(tiles.At(area, i%panelsAcross, i/panelsAcross))
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	// Names with the same widths, for systems without the font.
	_, err := w.Write(bytes.ReplaceAll(svg.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans,Arimo,Arial,Helvetica,sans-serif")))
	return err
}

// draw makes the diagram of a panel.
func (p panel) draw() (*plot.Plot, error) {
	diagram := plot.New()
	diagram.Title.Text = p.title + ", more is better"
	if p.lower {
		diagram.Title.Text = p.title + ", less is better"
	}
	diagram.Title.TextStyle.Font = font.Font{Typeface: typeface, Variant: "Sans", Size: 10}
	diagram.Title.Padding = 3
	names := make([]string, len(p.bars))
	labels := plotter.XYLabels{}
	largest := 0.0
	for i, b := range p.bars {
		names[i] = b.name
		chart, err := plotter.NewBarChart(plotter.Values{b.value}, barWidth)
		if err != nil {
			return nil, err
		}
		chart.Horizontal, chart.XMin, chart.LineStyle.Width = true, float64(i), 0
		chart.Color = b.color()
		diagram.Add(chart)
		labels.XYs = append(labels.XYs, plotter.XY{X: b.value, Y: float64(i)})
		labels.Labels = append(labels.Labels, format(b.value))
		largest = max(largest, b.value)
	}
	values, err := plotter.NewLabels(labels)
	if err != nil {
		return nil, err
	}
	for i := range values.TextStyle {
		values.TextStyle[i].YAlign = draw.YCenter
		values.TextStyle[i].Font = font.Font{Typeface: typeface, Variant: "Sans", Size: 9}
	}
	values.Offset.X = 4
	diagram.Add(values)
	diagram.NominalY(names...)
	diagram.Y.Tick.Label.Font = font.Font{Typeface: typeface, Variant: "Sans", Size: 9}
	diagram.Y.Padding = 6
	diagram.HideX()                // the values say it
	diagram.X.Max = largest * 1.15 // room for the last of them
	diagram.Y.Min, diagram.Y.Max = -0.7, float64(len(p.bars))-0.3
	return diagram, nil
}

const typeface = "Liberation"

func (b bar) color() color.Color {
	switch {
	case b.own:
		return ownColor
	case b.floor:
		return floorColor
	}
	return otherColor
}
