// JsonTemplate::Compile: a JSON value of a dialect file -> literal pieces and slots.
#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <absl/strings/str_split.h>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "edge/dialect/json_template.h"
#include "edge/protocol/json_text.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

namespace pb = google::protobuf;
using Kind = LocatedJson::Kind;

// "roomId, seq, …": what a slot may begin with.
std::string NamesOf(const TemplateScope& scope) {
  std::string names;
  const auto add = [&names](std::string_view prefix, std::string_view name) {
    names += fmt::format("{}{}{}", names.empty() ? "" : ", ", prefix, name);
  };
  for (const TemplateScope::Extra& extra : scope.extras) add("", extra.name);
  for (const TemplateScope::Root& root : scope.roots) {
    const std::string prefix = root.prefix.empty() ? "" : fmt::format("{}.", root.prefix);
    for (int i = 0; i < root.type->field_count(); ++i) {
      if (root.type->field(i)->real_containing_oneof() == nullptr) {
        add(prefix, root.type->field(i)->camelcase_name());
      }
    }
  }
  return names.empty() ? "nothing" : names;
}

}  // namespace

class TemplateCompiler {
 public:
  TemplateCompiler(JsonTemplate& out, const TemplateScope& scope, FileFaults& faults)
      : out_(out), scope_(scope), faults_(faults) {
    for (size_t i = 0; i < scope.roots.size(); ++i) {
      out_.sources_.push_back({static_cast<uint8_t>(i), nullptr, nullptr});
    }
  }

  void Run(const LocatedJson& value) {
    AddValue(value, 0);
    AddPiece({});  // What stands behind the last slot.
  }

 private:
  using Slot = JsonTemplate::Slot;
  using Form = JsonTemplate::Form;
  using Piece = JsonTemplate::Piece;

  void AddPiece(Piece piece) {
    piece.literal_begin = static_cast<uint32_t>(literal_begin_);
    piece.literal_size = static_cast<uint32_t>(out_.literals_.size() - literal_begin_);
    literal_begin_ = out_.literals_.size();
    out_.pieces_.push_back(std::move(piece));
  }

  void AddValue(const LocatedJson& value, size_t depth) {
    if (depth > kTemplateDepthLimit) {
      return faults_.Add(value.line,
                         fmt::format("a template nests at most {} deep", kTemplateDepthLimit));
    }
    switch (value.kind) {
      case Kind::kNull:
        out_.literals_ += "null";
        return;
      case Kind::kBool:
        out_.literals_ += value.boolean ? "true" : "false";
        return;
      case Kind::kInteger:
        return AppendJsonNumber(value.integer, out_.literals_);
      case Kind::kDouble:
        out_.literals_ += boost::json::serialize(boost::json::value(value.number));
        return;
      case Kind::kString:
        return AddString(value);
      case Kind::kArray:
        return AddArray(value, depth);
      case Kind::kObject:
        return AddObject(value, depth);
    }
  }

  void AddArray(const LocatedJson& array, size_t depth) {
    out_.literals_ += '[';
    for (const LocatedJson& item : array.items) {
      if (&item != &array.items.front()) out_.literals_ += ',';
      AddValue(item, depth + 1);
    }
    out_.literals_ += ']';
  }

  void AddObject(const LocatedJson& object, size_t depth) {
    out_.literals_ += '{';
    bool is_first = true;
    bool has_fixed = false;  // Something that is always written: commas are known from there on.
    for (const auto& [name, value] : object.members) {
      std::string key;
      AppendJsonString(name, key);
      key += ':';
      std::optional<Piece> slot = IsSlot(value) ? SlotOf(value) : std::nullopt;
      if (!slot && IsSlot(value)) continue;
      if (slot && slot->is_optional) {
        slot->needs_comma = !is_first && !has_fixed;
        slot->key = has_fixed ? "," + key : key;
        AddPiece(*std::move(slot));
      } else {
        if (has_fixed) {
          out_.literals_ += ',';
        } else if (!is_first) {
          Piece comma;
          comma.slot = Slot::kComma;
          AddPiece(std::move(comma));
        }
        has_fixed = true;
        out_.literals_ += key;
        if (slot) {
          AddPiece(*std::move(slot));
        } else {
          AddValue(value, depth + 1);
        }
      }
      is_first = false;
    }
    out_.literals_ += '}';
  }

  void AddString(const LocatedJson& value) {
    std::string_view text = value.text;
    if (text.starts_with("$$")) text.remove_prefix(1);
    if (!IsSlot(value)) return AppendJsonString(text, out_.literals_);
    std::optional<Piece> slot = SlotOf(value);
    if (!slot) return;
    if (slot->is_optional) {
      return faults_.Add(value.line, fmt::format("\"{}\": only a member can be left out", text));
    }
    AddPiece(*std::move(slot));
  }

  static bool IsSlot(const LocatedJson& value) {
    return value.is_string() && value.text.starts_with('$') && !value.text.starts_with("$$");
  }

  // nullopt: a fault. REQUIRES: IsSlot.
  std::optional<Piece> SlotOf(const LocatedJson& value) {
    std::string_view text = value.text;
    text.remove_prefix(1);
    Piece piece;
    if (text.ends_with('?')) {
      piece.is_optional = true;
      text.remove_suffix(1);
    }
    const size_t colon = text.find(':');
    const std::string_view form = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    const std::string_view path = text.substr(0, colon);
    if (!Resolve(path, value, piece)) return std::nullopt;
    const bool is_text = piece.slot == Slot::kText || piece.slot == Slot::kTextList ||
                         piece.slot == Slot::kExtraText;
    if (form == "number" && is_text) {
      piece.form = Form::kNumber;
    } else if (form == "null" && !piece.is_optional) {
      piece.form = Form::kNull;
    } else if (form == "json" && piece.slot == Slot::kText && HoldsJson(*piece.field)) {
      piece.slot = Slot::kJson;
    } else if (colon != std::string_view::npos) {
      faults_.Add(value.line,
                  fmt::format("\"{}\": behind the colon stands number (for texts), json (for "
                              "what holds JSON) or null (not with a question mark)",
                              value.text));
      return std::nullopt;
    }
    return piece;
  }

  bool Resolve(std::string_view path, const LocatedJson& value, Piece& piece) {
    for (size_t i = 0; i < scope_.extras.size(); ++i) {
      if (scope_.extras[i].name != path) continue;
      constexpr Slot kSlots[] = {Slot::kExtraText, Slot::kExtraNumber, Slot::kExtraJson};
      piece.slot = kSlots[static_cast<size_t>(scope_.extras[i].kind)];
      piece.place = static_cast<uint8_t>(i);
      return true;
    }
    std::vector<std::string> names = absl::StrSplit(std::string(path), '.');
    for (size_t i = 0; i < scope_.roots.size(); ++i) {
      const TemplateScope::Root& root = scope_.roots[i];
      size_t from = 0;
      if (!root.prefix.empty()) {
        if (names.front() != root.prefix || names.size() < 2) continue;
        from = 1;
      }
      if (root.type->FindFieldByCamelcaseName(names[from]) == nullptr) continue;
      return ResolveIn(static_cast<uint8_t>(i), std::span(names).subspan(from), value, piece);
    }
    faults_.Add(value.line, fmt::format("\"{}\" names nothing here; there is: {}", value.text,
                                        NamesOf(scope_)));
    return false;
  }

  bool ResolveIn(uint8_t source, std::span<const std::string> names, const LocatedJson& value,
                 Piece& piece) {
    const pb::Descriptor* type = TypeOf(source);
    const pb::FieldDescriptor* field = type->FindFieldByCamelcaseName(names.front());
    if (field == nullptr) {
      faults_.Add(value.line, fmt::format("\"{}\": {} has no field {}", value.text, type->name(),
                                          names.front()));
      return false;
    }
    if (names.size() == 1) {
      piece.slot = SlotOfField(*field);
      piece.field = field;
      piece.place = source;
      if (piece.slot == Slot::kWord) piece.words = EnumWords(*field->enum_type());
      if (piece.slot == Slot::kText) piece.read_text = FindTextReader(field);
      if (piece.slot == Slot::kInteger) piece.read_integer = FindIntegerReader(field);
      if (piece.slot == Slot::kTime) piece.read_message = FindMessageReader(field);
      if (piece.slot != Slot::kNone) return true;
      faults_.Add(value.line, fmt::format("\"{}\" is no single value", value.text));
      return false;
    }
    if (field->message_type() == nullptr || field->is_repeated() || IsTime(*field)) {
      faults_.Add(value.line, fmt::format("\"{}\": {} has no fields", value.text, names.front()));
      return false;
    }
    const std::optional<uint8_t> next = SourceOf(source, field);
    if (!next) {
      faults_.Add(value.line, fmt::format("\"{}\": a template reads at most {} messages",
                                          value.text, JsonTemplate::kSourcesLimit));
      return false;
    }
    return ResolveIn(*next, names.subspan(1), value, piece);
  }

  const pb::Descriptor* TypeOf(uint8_t source) const {
    const JsonTemplate::Source& of = out_.sources_[source];
    return of.field == nullptr ? scope_.roots[of.parent].type : of.field->message_type();
  }

  std::optional<uint8_t> SourceOf(uint8_t parent, const pb::FieldDescriptor* field) {
    for (size_t i = 0; i < out_.sources_.size(); ++i) {
      if (out_.sources_[i].parent == parent && out_.sources_[i].field == field) {
        return static_cast<uint8_t>(i);
      }
    }
    if (out_.sources_.size() == JsonTemplate::kSourcesLimit) return std::nullopt;
    out_.sources_.push_back({parent, field, FindMessageReader(field)});
    return static_cast<uint8_t>(out_.sources_.size() - 1);
  }

  static bool IsTime(const pb::FieldDescriptor& field) {
    return field.message_type() != nullptr &&
           field.message_type()->full_name() == "google.protobuf.Timestamp";
  }

  static Slot SlotOfField(const pb::FieldDescriptor& field) {
    if (field.is_map()) {
      const bool is_of_texts =
          field.message_type()->map_key()->type() == pb::FieldDescriptor::TYPE_STRING &&
          field.message_type()->map_value()->type() == pb::FieldDescriptor::TYPE_STRING;
      return is_of_texts ? Slot::kTextMap : Slot::kNone;
    }
    if (field.is_repeated()) {
      if (field.type() == pb::FieldDescriptor::TYPE_STRING) return Slot::kTextList;
      if (field.message_type() == v1::Event::descriptor()) return Slot::kEvents;
      return field.message_type() == v1::ResumedRoom::descriptor() ? Slot::kRooms : Slot::kNone;
    }
    switch (field.type()) {
      case pb::FieldDescriptor::TYPE_STRING:
        return Slot::kText;
      case pb::FieldDescriptor::TYPE_INT32:
      case pb::FieldDescriptor::TYPE_INT64:
      case pb::FieldDescriptor::TYPE_UINT32:
      case pb::FieldDescriptor::TYPE_UINT64:
        return Slot::kInteger;
      case pb::FieldDescriptor::TYPE_BOOL:
        return Slot::kBool;
      case pb::FieldDescriptor::TYPE_ENUM:
        return Slot::kWord;
      default:
        return IsTime(field) ? Slot::kTime : Slot::kNone;
    }
  }

  JsonTemplate& out_;
  const TemplateScope& scope_;
  FileFaults& faults_;
  size_t literal_begin_ = 0;
};

JsonTemplate JsonTemplate::Compile(const LocatedJson& value, const TemplateScope& scope,
                                   FileFaults& faults) {
  JsonTemplate made;
  TemplateCompiler(made, scope, faults).Run(value);
  return made;
}

}  // namespace confab::edge
