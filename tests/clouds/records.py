#!/usr/bin/python3 -B
"""DNSPod and Alibaba Cloud DNS, whose unit is the single record.

usage: records.py FOLDER dnspod|alidns
Sources: tencentcloud.com document 1157 (DescribeRecordList, CreateRecord, DeleteRecord); alibabacloud.com DNS API 2015-01-09
(DescribeSubDomainRecords, AddDomainRecord, DeleteDomainRecord). Record ids are made of what they name.
"""
import json
import sys
import zlib

import cloud
import signing


def record_id(owner, kind, value):
    return zlib.crc32(f"{owner} {kind} {value}".encode()) + 100000


class Records(cloud.Cloud):
    def owner(self, name):
        return self.zone if name == "@" else f"{name}.{self.zone}"

    def rows(self, owner, wanted):
        for (o, kind), s in sorted(self.sets.items()):
            if o == owner and wanted in (None, kind):
                for value in s["values"]:
                    yield record_id(o, kind, value), kind, value, s["ttl"]

    def add(self, owner, kind, value, ttl):
        """None: the record is there already."""
        s = self.sets.setdefault((owner, kind), {"ttl": ttl, "values": []})
        if value in s["values"]:
            return None
        s["values"] = s["values"] + [value]
        return record_id(owner, kind, value)

    def delete(self, wanted):
        for key, s in list(self.sets.items()):
            for value in s["values"]:
                if record_id(*key, value) == wanted:
                    s["values"] = [v for v in s["values"] if v != value]
                    if not s["values"]:
                        del self.sets[key]
                    return True
        return False


class Dnspod(Records):
    @staticmethod
    def refuse(code, message):
        raise cloud.Answer(200, json.dumps({"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "r-1"}}))

    @staticmethod
    def reply(**fields):
        return 200, json.dumps({"Response": {**fields, "RequestId": "r-1"}}), {}

    def listing(self, q):
        rows = list(self.rows(self.owner(q["Subdomain"]), q.get("RecordType")))
        if not rows:
            self.refuse("ResourceNotFound.NoDataOfRecord", "The list is empty.")
        page = rows[int(q.get("Offset", 0)):][:int(q.get("Limit", 100))]
        return self.reply(RecordCountInfo={"SubdomainCount": 1, "ListCount": len(page), "TotalCount": len(rows)},
                          RecordList=[{"RecordId": i, "Value": v, "Status": "ENABLE", "Name": q["Subdomain"], "Line": "默认", "LineId": "0", "Type": k,
                                       "TTL": t, "MX": 0, "MonitorStatus": "", "Remark": ""} for i, k, v, t in page])

    def answer(self, r):
        wrong = signing.tc3(r)
        if wrong:
            self.refuse(wrong, "The provided credentials could not be validated.")
        q, action = json.loads(r.body), r.headers["X-TC-Action"]
        if r.headers["X-TC-Version"] != "2021-03-23" or r.method != "POST" or r.path != "/":
            self.refuse("InvalidAction", "no such action")
        if q["Domain"] != self.zone:
            self.refuse("InvalidParameterValue.DomainNotExists", "The domain does not exist.")
        if action == "DescribeRecordList":
            return self.listing(q)
        if action == "CreateRecord":
            if q["RecordLine"] != "默认":
                self.refuse("InvalidParameter.RecordLineInvalid", "The record line is incorrect.")
            made = self.add(self.owner(q["SubDomain"]), q["RecordType"], q["Value"], q["TTL"])
            return self.reply(RecordId=made) if made else self.refuse("InvalidParameter.DomainRecordExist", "The record already exists.")
        if action == "DeleteRecord":
            if not isinstance(q["RecordId"], int) or not self.delete(q["RecordId"]):
                self.refuse("ResourceNotFound.NoDataOfRecord", "no such record")
            return self.reply()
        return self.refuse("InvalidAction", "no such action")


class Alidns(Records):
    @staticmethod
    def refuse(status, code, message):
        raise cloud.Answer(status, json.dumps({"RequestId": "r-1", "HostId": "alidns.aliyuncs.com", "Code": code, "Message": message}))

    @staticmethod
    def reply(**fields):
        return 200, json.dumps({"RequestId": "r-1", **fields}), {}

    def listing(self, q):
        size, page = int(q.get("PageSize", 20)), int(q.get("PageNumber", 1))
        if size > 100:
            self.refuse(400, "InvalidParameter", "PageSize is 100 at most")
        if q["DomainName"] != self.zone:
            self.refuse(400, "InvalidDomainName.NoExist", "The specified domain name does not exist.")
        name = q["SubDomain"][:-len(self.zone) - 1]
        rows = list(self.rows(self.owner(name), q.get("Type")))
        return self.reply(TotalCount=len(rows), PageNumber=page, PageSize=size,
                          DomainRecords={"Record": [{"RR": name, "Line": "default", "Status": "ENABLE", "Locked": False, "Type": k,
                                                     "DomainName": self.zone, "Value": v, "RecordId": str(i), "TTL": t}
                                                    for i, k, v, t in rows[(page - 1) * size:page * size]]})

    def answer(self, r):
        wrong = signing.acs3(r)
        if wrong:
            self.refuse(403, wrong, "The signature does not match")
        q, action = r.query, r.headers["x-acs-action"]
        if r.headers["x-acs-version"] != "2015-01-09":
            self.refuse(404, "InvalidVersion", "Specified parameter Version is not valid.")
        if action == "DescribeSubDomainRecords":
            return self.listing(q)
        if action == "AddDomainRecord":
            if q["DomainName"] != self.zone:
                self.refuse(400, "InvalidDomainName.NoExist", "The specified domain name does not exist.")
            made = self.add(self.owner(q["RR"]), q["Type"], q["Value"], int(q["TTL"]))
            return self.reply(RecordId=str(made)) if made else self.refuse(400, "DomainRecordDuplicate", "The DNS record already exists.")
        if action == "DeleteDomainRecord":
            if not self.delete(int(q["RecordId"])):
                self.refuse(400, "DomainRecordNotBelongToUser", "The DNS record does not belong to the user.")
            return self.reply(RecordId=q["RecordId"])
        return self.refuse(404, "InvalidAction.NotFound", "no such action")


cloud.serve({"dnspod": Dnspod, "alidns": Alidns}[sys.argv[2]]())
