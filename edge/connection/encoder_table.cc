#include "edge/connection/encoder_table.h"

namespace confab::edge {

EncoderTable::EncoderTable(const DialectSet& dialects, const std::vector<std::string>& namespaces,
                           const RecoveringDialects& recovering)
    : namespaces_count_(namespaces.size()) {
  pairs_.reserve(dialects.size() * namespaces.size());
  for (std::size_t i = 0; i < dialects.size(); ++i) {
    for (const std::string& nsp : namespaces) {
      pairs_.emplace_back(kNatives + pairs_.size(), dialects.at(i), nsp, recovering.StampOf(i));
    }
  }
}

}  // namespace confab::edge
