{
 "status": {
  "acceptedNames": {
   "kind": "HostedCluster"
  }
 }
}
