package h3_test

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
)

// A request is written, and read back piece by piece.
func Example() {
	b, mark := h3.BeginHeaders(nil)
	b = qpack.AppendFieldSection(b, []qpack.Field{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: "a.example"}, {Name: ":path", Value: "/"},
		{Name: "content-length", Value: "5"},
	})
	b = h3.EndHeaders(b, mark)
	b = h3.AppendFrameHeader(b, h3.FrameData, 5)
	b = append(b, "hello"...)

	reader := h3.NewMessageReader(wire.ServerSide, 16<<10)
	var decoder qpack.Decoder
	for len(b) > 0 {
		piece, n, err := reader.Next(b[:min(len(b), 40)])
		if err != nil {
			fmt.Println(err)
			return
		}
		b = b[n:]
		switch piece.Kind {
		case h3.PieceHeaders:
			fields, err := decoder.AppendFields(nil, piece.Bytes, 16<<10)
			if err != nil {
				fmt.Println(err)
				return
			}
			header, err := h3.ParseRequest(fields)
			fmt.Println(header.Method, header.Host, header.Path, header.ContentLength, err)
			reader.ExpectLength(header.ContentLength)
		case h3.PieceData:
			fmt.Printf("%s\n", piece.Bytes)
		}
	}
	fmt.Println(reader.Finish())
	// Output:
	// POST a.example / 5 <nil>
	// hello
	// <nil>
}
