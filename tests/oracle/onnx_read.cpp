// SPDX-License-Identifier: GPL-3.0-or-later
#include "onnx/onnx.pb-c.h"
#include "onnx_case.hpp"
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

namespace oracle {
namespace {

bool slurp(const std::string &path, std::string &out) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  out = text.str();
  return file.good();
}

template <class T> void raw(const ProtobufCBinaryData &data, std::vector<double> &out) {
  for (size_t at = 0; at + sizeof(T) <= data.len; at += sizeof(T)) {
    T value;
    std::memcpy(&value, data.data + at, sizeof value); // raw_data is little-endian, as every host of this test is
    out.push_back(static_cast<double>(value));
  }
}

bool decode(const Onnx__TensorProto &proto, Tensor &out, std::string &why) {
  out = Tensor{};
  out.type = proto.data_type;
  int64_t count = 1;
  for (size_t i = 0; i < proto.n_dims; i++) {
    out.dims.push_back(proto.dims[i]);
    if (proto.dims[i] < 0 || __builtin_mul_overflow(count, proto.dims[i], &count)) { // a SequenceProto read as a tensor
      why = "not a tensor";
      return false;
    }
  }
  if (proto.has_raw_data) {
    switch (proto.data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
      raw<float>(proto.raw_data, out.values);
      break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
      raw<double>(proto.raw_data, out.values);
      break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
      raw<uint8_t>(proto.raw_data, out.values);
      break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
      raw<int8_t>(proto.raw_data, out.values);
      break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
      raw<int32_t>(proto.raw_data, out.values);
      break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
      raw<int64_t>(proto.raw_data, out.values);
      break;
    default:
      why = "element type " + std::to_string(proto.data_type);
      return false;
    }
  } else {
    out.values.insert(out.values.end(), proto.float_data, proto.float_data + proto.n_float_data);
    out.values.insert(out.values.end(), proto.int32_data, proto.int32_data + proto.n_int32_data);
    for (size_t i = 0; i < proto.n_int64_data; i++) out.values.push_back(static_cast<double>(proto.int64_data[i]));
    out.values.insert(out.values.end(), proto.double_data, proto.double_data + proto.n_double_data);
  }
  out.is_float = proto.data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
                 proto.data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
  out.present = true;
  if (out.count() != count) {
    why = std::to_string(out.count()) + " elements for a shape of " + std::to_string(count);
    return false;
  }
  return true;
}

bool read_tensor(const std::string &path, Tensor &out, std::string &why) {
  std::string bytes;
  if (!slurp(path, bytes)) return why = path + ": cannot be read", false;
  Onnx__TensorProto *proto =
      onnx__tensor_proto__unpack(nullptr, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data()));
  if (!proto) return why = path + ": not a TensorProto", false;
  const bool ok = decode(*proto, out, why);
  if (!ok) why = path + ": " + why;
  onnx__tensor_proto__free_unpacked(proto, nullptr);
  return ok;
}

using Model = std::unique_ptr<Onnx__ModelProto, void (*)(Onnx__ModelProto *)>;

Model load(const std::string &folder, OnnxCase &out, std::string &why) {
  std::string bytes;
  Model model(nullptr, [](Onnx__ModelProto *m) { onnx__model_proto__free_unpacked(m, nullptr); });
  if (!slurp(folder + "/model.onnx", bytes)) return why = "model.onnx cannot be read", std::move(model);
  model.reset(onnx__model_proto__unpack(nullptr, bytes.size(), reinterpret_cast<const uint8_t *>(bytes.data())));
  if (!model || !model->graph) return why = "not an ONNX model", model.reset(), std::move(model);
  for (size_t i = 0; i < model->n_opset_import; i++)
    if (!model->opset_import[i]->domain || !*model->opset_import[i]->domain)
      out.opset = model->opset_import[i]->version;
  const size_t count = model->graph->n_node;
  for (size_t i = 0; i < count; i++)
    out.ops.emplace_back(model->graph->node[i]->op_type ? model->graph->node[i]->op_type : "");
  size_t first = 0;
  while (first + 1 < count && out.ops[first] == "Transpose") first++;
  out.nodes = static_cast<int>(count - first);
  if (count > 0) out.op = out.ops[first];
  return model;
}

void attributes(const Onnx__NodeProto &node, OnnxCase &out) {
  for (size_t i = 0; i < node.n_attribute; i++) {
    const Onnx__AttributeProto &a = *node.attribute[i];
    if (a.has_i) out.ints[a.name] = {a.i};
    if (a.n_ints) out.ints[a.name] = {a.ints, a.ints + a.n_ints};
    if (a.has_f) out.reals[a.name] = static_cast<double>(a.f);
    if (a.has_s) out.strings[a.name] = std::string(reinterpret_cast<const char *>(a.s.data), a.s.len);
  }
}

} // namespace

bool onnx_read_model(const std::string &folder, OnnxCase &out, std::string &why) {
  return load(folder, out, why) != nullptr;
}

bool onnx_read_case(const std::string &folder, OnnxCase &out, std::string &why) {
  const Model model = load(folder, out, why);
  if (!model) return false;
  const Onnx__GraphProto &graph = *model->graph;
  const size_t first = graph.n_node - static_cast<size_t>(out.nodes);
  const Onnx__NodeProto &node = *graph.node[first];
  attributes(node, out);
  std::map<std::string, Tensor> named;
  for (size_t i = 0; i < graph.n_initializer; i++)
    if (!decode(*graph.initializer[i], named[graph.initializer[i]->name], why)) return false;
  int file = 0; // input_N.pb are the graph's inputs without initializers, in order
  for (size_t i = 0; i < graph.n_input; i++) {
    if (named.count(graph.input[i]->name)) continue;
    if (!read_tensor(folder + "/test_data_set_0/input_" + std::to_string(file++) + ".pb", named[graph.input[i]->name],
                     why))
      return false;
  }
  for (size_t i = 0; i < first; i++) {
    const Onnx__NodeProto &turn = *graph.node[i];
    Tensor &to = named[turn.output[0]] = named[turn.input[0]];
    if (to.rank() != 2) return why = "a transposition that is not of a matrix", false;
    const Tensor from = to;
    std::swap(to.dims[0], to.dims[1]);
    for (int64_t r = 0; r < to.dims[0]; r++)
      for (int64_t c = 0; c < to.dims[1]; c++)
        to.values[static_cast<size_t>(r * to.dims[1] + c)] = from.values[static_cast<size_t>(c * to.dims[0] + r)];
  }
  for (size_t i = 0; i < node.n_input; i++) {
    const auto it = named.find(node.input[i]);
    out.inputs.push_back(it == named.end() ? Tensor{} : it->second);
  }
  out.outputs.resize(1); // further outputs (indices, means) have no kernel of ours
  return read_tensor(folder + "/test_data_set_0/output_0.pb", out.outputs[0], why);
}

} // namespace oracle
