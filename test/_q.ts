import { evaluated, tier } from "./helpers/tiers"; import {violations} from "../policy";
(async()=>{ const {subject}=await evaluated(tier(1000).config);
console.log(subject.operatorPods.map(p=>[p.owner.name,p.labels]), subject.edges.filter(e=>JSON.stringify(e.to).includes("pooler")).slice(0,3));
console.log(violations(subject).found.slice(0,10)); })();
