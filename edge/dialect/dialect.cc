#include "edge/dialect/dialect.h"

#include "edge/dialect/confab_dialect.h"

namespace confab::edge {

const Dialect* FindBuiltinDialect(std::string_view name) {
  static const ConfabDialect confab;
  return name == confab.name() ? &confab : nullptr;
}

}  // namespace confab::edge
