package qpack

const (
	// advisorFields is how many fields an advisor remembers, enough for a page
	// of messages with a few fields each that differ.
	advisorFields = 128
	// advisorNames is how many names an advisor knows; few connections have as
	// many outside the static table.
	advisorNames = 32
	// initialCredit is how many fields of a name are inserted before one has to
	// have been of use, and maxCredit how many once others were.
	initialCredit = 2
	maxCredit     = 8
)

// advisor tells which fields are worth inserting: those that occurred before,
// and those that occur for the first time if inserting fields of this name has
// paid so far. Paths, lengths and identifiers do not; cookies, origins and
// policies do.
//
// It goes by 32 bits of hashes: a mistake costs a few bytes and nothing else. As
// a name that is guessed at loses its credit, the table is harder to probe as
// well (RFC 9204, Section 7.1.2).
type advisor struct {
	fields    [advisorFields]uint32 // a ring
	nextField uint8
	names     [advisorNames]uint32 // a ring
	credits   [advisorNames]int8
	nextName  uint8
}

// advise is asked for each field that could be inserted. again says that the
// field occurred before.
func (a *advisor) advise(ofName, ofField uint32) (insert, again bool) {
	for _, t := range a.fields {
		if t == ofField {
			return true, true
		}
	}
	a.fields[a.nextField] = ofField
	a.nextField = (a.nextField + 1) % advisorFields
	credit := a.credit(ofName)
	if *credit == 0 {
		return false, false
	}
	*credit--
	return true, false
}

// reward takes note that an inserted field with this name was of use.
func (a *advisor) reward(ofName uint32) {
	credit := a.credit(ofName)
	*credit = min(*credit+1, maxCredit)
}

// credit returns the credit of a name.
func (a *advisor) credit(ofName uint32) *int8 {
	for i, t := range a.names {
		if t == ofName {
			return &a.credits[i]
		}
	}
	i := a.nextName
	a.nextName = (i + 1) % advisorNames
	a.names[i], a.credits[i] = ofName, initialCredit
	return &a.credits[i]
}
