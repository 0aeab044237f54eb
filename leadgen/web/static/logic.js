// Twin of leadgen/core/logic.py: whether a condition holds. The server's answer is the one that counts; this one spares
// people a round trip. Both pass tests/vectors/logic.json.
const isNumber = (value) => typeof value === "number" && Math.abs(value) < 1e15;

function isDate(value) {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value) || value < "0001") return false;
  const day = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === value;
}

const each = (known) => (Array.isArray(known) ? known : [known]);

function isSame(known, value) {
  if (!Array.isArray(known) || !Array.isArray(value)) return known === value;
  return known.length === value.length && known.every((one, index) => one === value[index]);
}

function isInOrder(op, known, value) {
  if (!(isNumber(known) && isNumber(value)) && !(isDate(known) && isDate(value))) return false;
  return { gt: known > value, gte: known >= value, lt: known < value, lte: known <= value }[op];
}

function compares(op, known, value) {
  if (known === undefined || known === null || known === "" || (Array.isArray(known) && !known.length)) {
    return op === "empty" || op === "ne";
  }
  switch (op) {
    case "empty":
      return false;
    case "eq":
      return isSame(known, value);
    case "ne":
      return !isSame(known, value);
    case "in":
      return each(known).some((one) => value.includes(one));
    case "contains":
      if (typeof known === "string") {
        return typeof value === "string" && known.toLowerCase().includes(value.toLowerCase());
      }
      return each(known).includes(value);
    default:
      return isInOrder(op, known, value);
  }
}

export function holds(condition, known) {
  if (condition.all) return condition.all.every((part) => holds(part, known));
  if (condition.any) return condition.any.some((part) => holds(part, known));
  if (condition.not) return !holds(condition.not, known);
  const value = Object.hasOwn(known, condition.field) ? known[condition.field] : undefined;
  return compares(condition.op, value, condition.value);
}
