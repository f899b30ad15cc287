#include "edge/dialect/json_template.h"

#include <algorithm>
#include <map>

#include <google/protobuf/timestamp.pb.h>

#include "edge/protocol/json_text.h"
#include "proto/reason.h"

namespace confab::edge {

namespace {

namespace pb = google::protobuf;

void AppendText(std::string_view text, bool is_number, std::string& out) {
  if (is_number && IsCanonicalDecimal(text)) {
    out.append(text);
  } else {
    AppendJsonString(text, out);
  }
}

void AppendTextList(const pb::Message& message, const pb::FieldDescriptor* field, bool is_number,
                    std::string& out) {
  out.push_back('[');
  bool is_first = true;
  for (const std::string& text :
       message.GetReflection()->GetRepeatedFieldRef<std::string>(message, field)) {
    if (!is_first) out.push_back(',');
    is_first = false;
    AppendText(text, is_number, out);
  }
  out.push_back(']');
}

// In order of the keys: a map of protobuf has none.
void AppendTextMap(const pb::Message& message, const pb::FieldDescriptor* field, std::string& out) {
  const pb::Reflection& reflection = *message.GetReflection();
  const pb::FieldDescriptor* key = field->message_type()->map_key();
  const pb::FieldDescriptor* value = field->message_type()->map_value();
  std::map<std::string, std::string> sorted;
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const pb::Message& entry = reflection.GetRepeatedMessage(message, field, i);
    sorted[entry.GetReflection()->GetString(entry, key)] =
        entry.GetReflection()->GetString(entry, value);
  }
  out.push_back('{');
  for (const auto& [name, text] : sorted) {
    if (out.back() != '{') out.push_back(',');
    AppendJsonString(name, out);
    out.push_back(':');
    AppendJsonString(text, out);
  }
  out.push_back('}');
}

}  // namespace

bool IsCanonicalDecimal(std::string_view id) {
  constexpr std::string_view kGreatest = "9007199254740991";
  if (id.empty() || id.size() > kGreatest.size()) return false;
  if (id.front() == '0') return id.size() == 1;
  if (!std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
  return id.size() < kGreatest.size() || id <= kGreatest;
}

bool JsonTemplate::IsEmpty(const Piece& piece, const Sources& sources, const TemplateInput& input) {
  switch (piece.slot) {
    case Slot::kText:
    case Slot::kJson:
      return piece.read_text(*sources[piece.place], piece.field).empty();
    case Slot::kInteger:
      return piece.read_integer(*sources[piece.place], piece.field) == 0;
    case Slot::kBool:
      return !sources[piece.place]->GetReflection()->GetBool(*sources[piece.place], piece.field);
    case Slot::kTime:
      return !sources[piece.place]->GetReflection()->HasField(*sources[piece.place], piece.field);
    case Slot::kWord:
      return sources[piece.place]->GetReflection()->GetEnumValue(*sources[piece.place],
                                                                 piece.field) == 0;
    case Slot::kTextList:
    case Slot::kTextMap:
    case Slot::kEvents:
    case Slot::kRooms:
      return sources[piece.place]->GetReflection()->FieldSize(*sources[piece.place], piece.field) ==
             0;
    case Slot::kExtraText:
    case Slot::kExtraJson:
      return input.extras[piece.place].text.empty();
    case Slot::kExtraNumber:
      return input.extras[piece.place].number == 0;
    case Slot::kNone:
    case Slot::kComma:
      break;
  }
  return false;
}

void JsonTemplate::AppendSlot(const Piece& piece, const Sources& sources,
                              const TemplateInput& input, std::string& out) {
  switch (piece.slot) {
    case Slot::kNone:
      return;
    case Slot::kComma:
      // Only an object that was just opened leaves a brace there.
      if (out.back() != '{') out.push_back(',');
      return;
    case Slot::kText:
      return AppendText(piece.read_text(*sources[piece.place], piece.field),
                        piece.form == Form::kNumber, out);
    case Slot::kJson: {
      const std::string& text = piece.read_text(*sources[piece.place], piece.field);
      out.append(text.empty() ? "null" : text);
      return;
    }
    case Slot::kInteger:
      return AppendJsonNumber(piece.read_integer(*sources[piece.place], piece.field), out);
    case Slot::kBool:
      out.append(sources[piece.place]->GetReflection()->GetBool(*sources[piece.place], piece.field)
                     ? "true"
                     : "false");
      return;
    case Slot::kTime: {
      const auto& time =
          static_cast<const pb::Timestamp&>(piece.read_message(*sources[piece.place], piece.field));
      return AppendJsonTime(time.seconds(), time.nanos(), out);
    }
    case Slot::kWord: {
      const int value =
          sources[piece.place]->GetReflection()->GetEnumValue(*sources[piece.place], piece.field);
      const bool is_known = value >= 0 && static_cast<size_t>(value) < piece.words.size();
      // The first word stands for what a newer server may say.
      return AppendJsonString(piece.words[is_known ? static_cast<size_t>(value) : 0], out);
    }
    case Slot::kTextList:
      return AppendTextList(*sources[piece.place], piece.field, piece.form == Form::kNumber, out);
    case Slot::kTextMap:
      return AppendTextMap(*sources[piece.place], piece.field, out);
    case Slot::kEvents:
      return input.lists->AppendEvents(
          sources[piece.place]->GetReflection()->GetRepeatedFieldRef<v1::Event>(
              *sources[piece.place], piece.field),
          out);
    case Slot::kRooms:
      return input.lists->AppendRooms(
          sources[piece.place]->GetReflection()->GetRepeatedFieldRef<v1::ResumedRoom>(
              *sources[piece.place], piece.field),
          out);
    case Slot::kExtraText:
      return AppendText(input.extras[piece.place].text, piece.form == Form::kNumber, out);
    case Slot::kExtraNumber:
      return AppendJsonNumber(input.extras[piece.place].number, out);
    case Slot::kExtraJson:
      out.append(input.extras[piece.place].text);
      return;
  }
}

void JsonTemplate::Append(const TemplateInput& input, std::string& out) const {
  Sources sources{};
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    sources[i] = source.field == nullptr ? input.roots[source.parent]
                                         : &source.read(*sources[source.parent], source.field);
  }
  for (const Piece& piece : pieces_) {
    out.append(literals_, piece.literal_begin, piece.literal_size);
    const bool may_be_empty = piece.is_optional || piece.form == Form::kNull;
    if (may_be_empty && IsEmpty(piece, sources, input)) {
      if (!piece.is_optional) out.append("null");
      continue;
    }
    if (piece.is_optional) {
      if (piece.needs_comma && out.back() != '{') out.push_back(',');
      out.append(piece.key);
    }
    AppendSlot(piece, sources, input, out);
  }
}

}  // namespace confab::edge
