package loop

// MaxTurnHandshakes is a bound that tests compare with.
const MaxTurnHandshakes = maxTurnHandshakes
