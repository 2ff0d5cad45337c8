package qpack

// lineKind is a representation of a field line (RFC 9204, Sections 4.5.2 to
// 4.5.6). Post-Base indexes are not among them: the Base of a section is chosen
// after its insertions, so that all it refers to is below.
type lineKind uint8

const (
	lineLiteral     lineKind = iota
	lineStatic               // indexed
	lineDynamic              // indexed
	lineStaticName           // literal with name reference
	lineDynamicName          // literal with name reference
)

// line is how a field is going to be represented.
type line struct {
	kind  lineKind
	index uint64 // absolute, with lineDynamic and lineDynamicName
}

// plan is how a section is going to be represented. It is made with the table's
// lock held, and written without: that takes much longer.
type plan struct {
	lines  []line // one for each field, and spare ones
	base   uint64
	hasOut bool // instructions are due

	// required is the Required Insert Count, and oldest the lowest absolute
	// index referred to, noReference before the first.
	required, oldest uint64

	mayRefer bool // to the dynamic table
	mayRisk  bool // to refer to entries the peer may not have received
}

// noReference is larger than any absolute index.
const noReference = 1<<64 - 1

// AppendSection appends a whole field section that is going to be sent on a
// stream, prefix included. Names must be in lower case. It reports whether
// instructions are due on the encoder stream, which should leave before the
// section: it may refer to what they insert.
func (t *EncoderTable) AppendSection(b []byte, stream uint64, fields []Field) (_ []byte, instructions bool) {
	if !t.enabled.Load() {
		return AppendFieldSection(b, fields), false
	}
	var room [24]line // all but few sections have fewer fields
	p := plan{lines: room[:], oldest: noReference}
	if len(fields) > len(room) {
		p.lines = make([]line, len(fields))
	}
	t.plan(&p, stream, fields)
	return p.append(b, fields, t.maxEntries), p.hasOut
}

// plan decides about all fields and remembers the section.
func (t *EncoderTable) plan(p *plan, stream uint64, fields []Field) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.mayRefer = len(t.sent) < maxUnacknowledged
	p.mayRisk = t.atRisk < t.maxBlocked
	for i := range fields {
		p.lines[i] = t.planLine(p, &fields[i])
	}
	p.base = t.table.inserted
	p.hasOut = len(t.out) > 0
	t.sections++
	if p.required > 0 {
		t.remember(sentSection{stream, p.required, p.oldest})
	}
}

// planLine decides about one field.
func (t *EncoderTable) planLine(p *plan, f *Field) line {
	ofName := nameHash(f.Name)
	static, exact := findStatic(f.Name, f.Value, ofName)
	if exact {
		return line{lineStatic, uint64(static)}
	}
	if p.mayRefer && !isSensitive(f.Name, f.Value) {
		if index, ok := t.obtain(p, f, static, ofName); ok && t.refer(p, index) {
			return line{lineDynamic, index}
		}
	}
	if static >= 0 {
		return line{lineStaticName, uint64(static)}
	}
	if p.mayRefer {
		if index, ok := t.index.findName(&t.table, f.Name, ofName); ok && t.refer(p, index) {
			return line{lineDynamicName, index}
		}
	}
	return line{kind: lineLiteral}
}

// obtain returns the entry for a field, which it inserts if it is not there and
// worth it.
func (t *EncoderTable) obtain(p *plan, f *Field, static int, ofName uint32) (index uint64, ok bool) {
	ofField := fieldHash(ofName, f.Value)
	if index, ok = t.index.findField(&t.table, f, ofField); ok {
		e := t.index.at(index)
		if e.uses == 0 {
			t.advisor.reward(ofName)
		}
		e.uses = min(e.uses+1, maxUses)
		return t.leaveDraining(p, index), true
	}
	if t.advisor == nil {
		t.advisor = new(advisor)
	}
	wanted, again := t.advisor.advise(ofName, ofField)
	if !wanted {
		return 0, false
	}
	return t.insertField(p, f, static, ofName, ofField, again)
}

// refer notes a reference, and reports false when it must not be made: when the
// section would risk to wait for the entry and must not, or the entry is to be
// evicted soon.
func (t *EncoderTable) refer(p *plan, index uint64) bool {
	if (index >= t.known && !p.mayRisk) || index < t.drain.index {
		return false
	}
	p.required = max(p.required, index+1)
	p.oldest = min(p.oldest, index)
	return true
}

// append writes the section.
func (p *plan) append(b []byte, fields []Field, maxEntries uint64) []byte {
	if p.required == 0 {
		b = AppendPrefix(b)
	} else {
		b = appendPrefix(b, p.required, p.base, maxEntries)
	}
	for i := range fields {
		l, name, value := p.lines[i], fields[i].Name, fields[i].Value
		switch l.kind {
		case lineStatic:
			b = appendInteger(b, indexedStatic, 6, l.index)
		case lineDynamic:
			b = appendInteger(b, indexedDynamic, 6, p.base-1-l.index)
		case lineStaticName:
			b = appendWithName(b, nameRefStatic, l.index, name, value)
		case lineDynamicName:
			b = appendWithName(b, nameRefDynamic, p.base-1-l.index, name, value)
		case lineLiteral:
			b = appendLiteral(b, name, value)
		}
	}
	return b
}
