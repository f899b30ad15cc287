#include "tools/confabctl/listing.h"

#include <ostream>
#include <utility>

#include <fmt/format.h>

namespace confab::ctl {

Listing::Listing(Invocation& run, std::string name, std::vector<std::string> headers)
    : run_(run), name_(std::move(name)), table_(std::move(headers)) {}

void Listing::Add(const google::protobuf::Message& item, std::vector<std::string> row) {
  Add(run_.is_json ? ToJson(item) : std::string(), std::move(row));
}

void Listing::Add(const std::string& json, std::vector<std::string> row) {
  if (run_.is_jsonl) {
    run_.streams.out << json << '\n';
  } else if (run_.is_json) {
    json_ += (json_.empty() ? "" : ",") + json;
  } else {
    table_.Add(std::move(row));
  }
}

void Listing::End() {
  if (run_.is_jsonl) return;
  if (run_.is_json) {
    run_.streams.out << fmt::format("{{\"{}\":[{}]}}\n", name_, json_);
  } else {
    table_.Print(run_.streams.out);
  }
}

}  // namespace confab::ctl
