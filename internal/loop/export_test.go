package loop

// MaxTurnHandshakes is a bound that tests compare with.
const MaxTurnHandshakes = maxTurnHandshakes

// MaxEvents is how many events a handler is told of in a row.
var MaxEvents = maxEventBatches * len(new(Loop).events)
