#!/usr/bin/env python3
"""Records a topic of Avro messages in Confluent's wire format: record.py > orders.json

The messages are encoded by fastavro, produced to librdkafka's mock broker over the Kafka protocol, and consumed from it
again. Written down are the bytes that came back, and the data that went in. Needs the packages confluent-kafka and
fastavro.
"""

import base64
import datetime
import decimal
import io
import json
import struct
import sys

import confluent_kafka
import fastavro

SCHEMAS = {
    101: {
        "type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "id", "type": "long"},
            {"name": "customer", "type": "string"},
            {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
            {"name": "lines", "type": {"type": "array", "items": {
                "type": "record", "name": "Line", "fields": [
                    {"name": "sku", "type": "string"}, {"name": "count", "type": "int"}]}}},
            {"name": "extra", "type": {"type": "map", "values": "double"}},
            {"name": "note", "type": ["null", "string"], "default": None}]},
    102: {
        "type": "record", "name": "Payment", "namespace": "shop", "fields": [
            {"name": "order", "type": "long"}, {"name": "ok", "type": "boolean"}]},
}


def order(i):
    return {
        "id": i * 10**12 - 5, "customer": "Zo\u00eb " * (i % 3), "total": decimal.Decimal(i * 1999 - 30000) / 100,
        "day": datetime.date(2026, 1, 1) + datetime.timedelta(days=i * 37), "state": "PAID" if i % 2 else "NEW",
        "lines": [{"sku": f"S-{n}", "count": n - 2} for n in range(i % 5)],
        "extra": {f"k{n}": n / 8 for n in range(i % 4)}, "note": None if i % 3 else "a note \U0001f4e6",
    }


def data():
    for i in range(24):
        if i % 8 == 7:
            yield None, None
        elif i % 4 == 3:
            yield 102, {"order": i, "ok": i % 3 == 0}
        else:
            yield 101, order(i)


def encode(schema, datum):
    if schema is None:
        return None
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, schema))
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMAS[schema]), datum)
    return out.getvalue()


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, (decimal.Decimal, datetime.date)):
        return str(value)
    return value


def main():
    producer = confluent_kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
    broker = next(iter(producer.list_topics(timeout=10).brokers.values()))
    sent = list(data())
    for schema, datum in sent:
        producer.produce("orders", value=encode(schema, datum), partition=0)
    if producer.flush(20):
        sys.exit("the mock broker has not taken all messages")

    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": f"{broker.host}:{broker.port}", "group.id": "recorder", "auto.offset.reset": "earliest"})
    consumer.assign([confluent_kafka.TopicPartition("orders", 0, 0)])
    messages = consumer.consume(len(sent), timeout=20)
    consumer.close()
    if len(messages) != len(sent) or any(message.error() for message in messages):
        sys.exit("not all messages came back from the mock broker")

    json.dump({
        "recorded_with": {"librdkafka": confluent_kafka.libversion()[0], "fastavro": fastavro.__version__},
        "schemas": {str(key): json.dumps(schema) for key, schema in SCHEMAS.items()},
        "messages": [{
            "offset": message.offset(),
            "value": None if message.value() is None else base64.b64encode(message.value()).decode(),
            "datum": plain(datum)} for message, (_, datum) in zip(messages, sent)],
    }, sys.stdout, indent=1)
    print()


main()
